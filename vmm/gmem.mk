GMEM_SOURCES := vmm/gmem.c

UNIT_TESTS += gmem
test_gmem_SOURCES := $(GMEM_SOURCES)
