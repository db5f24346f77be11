ELF_SOURCES := lib/elf/elf.c lib/elf/relocate.c

UNIT_TESTS += elf elf_guest
test_elf_guest_SOURCES := lib/elf/elf.c lib/elf/guest.c
test_elf_SOURCES := $(ELF_SOURCES)
FUZZ_TARGETS += elf
fuzz_elf_SOURCES := $(ELF_SOURCES) lib/elf/guest.c
