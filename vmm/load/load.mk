LOAD_SOURCES := vmm/load/load.c vmm/load/common.c vmm/load/linux.c vmm/load/flat.c

UNIT_TESTS += load
test_load_SOURCES := $(LOAD_SOURCES) vmm/gmem.c lib/bzimage/parse.c lib/bzimage/place.c lib/bzimage/fill.c lib/elf/elf.c \
	lib/base/format.c
FUZZ_TARGETS += load
fuzz_load_SOURCES := $(test_load_SOURCES)
