LOAD_SOURCES := vmm/load/load.c vmm/load/common.c vmm/load/linux.c vmm/load/flat.c vmm/load/image.c vmm/load/info.c \
	vmm/load/multiboot.c vmm/load/pvh.c

UNIT_TESTS += load load_multiboot load_pvh
LOAD_TEST_SOURCES := $(LOAD_SOURCES) vmm/gmem.c lib/bzimage/parse.c lib/bzimage/place.c lib/bzimage/fill.c lib/elf/elf.c \
	lib/elf/guest.c lib/multiboot/multiboot.c lib/base/format.c
test_load_SOURCES := $(LOAD_TEST_SOURCES)
test_load_multiboot_SOURCES := $(LOAD_TEST_SOURCES)
test_load_pvh_SOURCES := $(LOAD_TEST_SOURCES)
FUZZ_TARGETS += load
fuzz_load_SOURCES := $(LOAD_TEST_SOURCES)
