# Test kernels started by Multiboot and PVH, only for images of tests: $(BUILD)/NAME.elf, and one that is no ELF file. 32-bit C and
# assembly; the same programs wrapped as ELF files of the other class.
BOOT_OBJECTS := $(BUILD)/guest32/guests/boot/start.o $(BUILD)/guest32/guests/boot/support.o
BOOT_LDFLAGS := -nostdlib -z noexecstack --no-warn-rwx-segments -T guests/boot/boot.ld

$(BUILD)/guest32/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREESTANDING) -m32 -march=i686 -fno-pie -c $< -o $@
$(BUILD)/guest32/%.o: %.asm
	@mkdir -p $(@D)
	$(NASM) $(subst -felf64,-felf32,$(NASMFLAGS)) -MD $(@:.o=.d) -MP $< -o $@

# One program has the header, the other the note.
$(BUILD)/multiboot.elf: $(BUILD)/guest32/guests/boot/multiboot.o $(BOOT_OBJECTS) guests/boot/boot.ld
	objcopy -R .note.pvh $(word 2,$^) $(@:.elf=.start.o)
	$(LD) -m elf_i386 $(BOOT_LDFLAGS) -e boot_entry -o $@ $< $(@:.elf=.start.o) $(word 3,$^)
$(BUILD)/pvh.elf: $(BUILD)/guest32/guests/boot/pvh.o $(BOOT_OBJECTS) guests/boot/boot.ld
	objcopy -R .multiboot $(word 2,$^) $(@:.elf=.start.o)
	$(LD) -m elf_i386 $(BOOT_LDFLAGS) -e 0 -o $@ $< $(@:.elf=.start.o) $(word 3,$^)
$(BUILD)/pvh_64.elf: $(BUILD)/pvh.elf
	objcopy -O elf64-x86-64 $< $@
$(BUILD)/multiboot_64.elf64: $(BUILD)/guest/guests/boot/multiboot_64.o guests/boot/boot.ld
	$(LD) -m elf_x86_64 -z max-page-size=4096 $(BOOT_LDFLAGS) -e start -o $@ $<
$(BUILD)/multiboot_64.elf: $(BUILD)/multiboot_64.elf64
	objcopy -O elf32-i386 $< $@
$(BUILD)/multiboot_addresses.bin: guests/boot/multiboot_addresses.asm guests/boot/print.inc
	@mkdir -p $(@D)
	$(NASM) -fbin -I./ -Werror $< -o $@

BOOT_GUEST_FILES := $(patsubst %,$(BUILD)/%,multiboot.elf pvh.elf pvh_64.elf multiboot_64.elf64 multiboot_64.elf multiboot_addresses.bin)
test-guests: $(BOOT_GUEST_FILES)
