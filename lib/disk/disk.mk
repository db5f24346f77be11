DISK_SOURCES := lib/disk/disk.c

UNIT_TESTS += disk
test_disk_SOURCES := $(DISK_SOURCES)
