ELF_SOURCES := lib/elf/elf.c lib/elf/relocate.c

UNIT_TESTS += elf
test_elf_SOURCES := $(ELF_SOURCES)
FUZZ_TARGETS += elf
fuzz_elf_SOURCES := $(ELF_SOURCES)
