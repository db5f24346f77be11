# The loaders: build/bootx64.efi for UEFI, build/multiboot2.elf for GRUB.
BOOT_COMMON_SOURCES := boot/common/arena.c boot/common/bare.c boot/common/bare_jump.asm boot/common/budget.c \
	boot/common/command_line.c boot/common/files.c boot/common/framebuffer.c boot/common/handover.c boot/common/jump.asm \
	boot/common/kernel_image.c boot/common/launch.c boot/common/memory_map.c boot/common/page_tables.c \
	boot/common/pc.c \
	boot/common/placement.c boot/common/ports.c boot/common/program_image.c boot/common/random.c boot/common/report.c \
	boot/common/serial.c boot/common/start.c \
	boot/common/clock_choice.c boot/common/tsc.c boot/common/uefi_memory.c boot/common/wall_clock.c \
	lib/base/format.c lib/base/string.c lib/elf/elf.c lib/elf/relocate.c \
	lib/acpi/table.c lib/acpi/root.c lib/acpi/madt.c lib/acpi/fadt.c \
	lib/bzimage/parse.c lib/bzimage/place.c lib/bzimage/fill.c

# Like "objects" of the Makefile, which is defined only after the fragments.
boot_objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(2)))

# --- UEFI. gnu-efi 3.0 has its files in /usr/lib, 4.0 in the multiarch folder; EFI_ROOT=DIR takes it from an unpacked package.
EFI_ROOT ?=
EFI_LIB := $(firstword $(dir $(wildcard $(EFI_ROOT)/usr/lib/x86_64-linux-gnu/crt0-efi-x86_64.o \
	$(EFI_ROOT)/usr/lib/x86_64-linux-gnu/gnuefi/crt0-efi-x86_64.o $(EFI_ROOT)/usr/lib/gnuefi/crt0-efi-x86_64.o \
	$(EFI_ROOT)/usr/lib/crt0-efi-x86_64.o)))
EFI_SOURCES := boot/efi/main.c boot/efi/firmware.c boot/efi/paging_levels.c \
	boot/efi/paging_switch.asm boot/efi/platform.c boot/efi/screen.c boot/efi/volume.c
# Firmware is called by function pointers with Microsoft's calling convention (EFIAPI); no wrapper, no assembly in between.
EFI_HEADERS := -fshort-wchar -DGNU_EFI_USE_MS_ABI -isystem $(EFI_ROOT)/usr/include/efi -isystem $(EFI_ROOT)/usr/include/efi/x86_64
EFI_CFLAGS := $(FREESTANDING) $(EFI_HEADERS) -fpic -fvisibility=hidden -maccumulate-outgoing-args

$(BUILD)/efi/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(EFI_CFLAGS) -c $< -o $@
$(BUILD)/efi/%.o: %.asm
	@mkdir -p $(@D)
	$(NASM) $(NASMFLAGS) -MD $(@:.o=.d) -MP $< -o $@

# Of gnu-efi only the start code and the relocation are linked: libefi brings its own memcpy, and nothing of it is needed.
# The start code of version 4 calls libefi's _entry, that of version 3 efi_main: for us both are one.
$(BUILD)/bootx64.so: $(call boot_objects,efi,$(EFI_SOURCES) $(BOOT_COMMON_SOURCES))
	$(if $(EFI_LIB),,$(error gnu-efi is not installed: install the package gnu-efi))
	$(LD) -nostdlib -znocombreloc -znoexecstack -shared -Bsymbolic --no-undefined --defsym=_entry=efi_main \
		-T $(EFI_LIB)elf_x86_64_efi.lds -o $@ \
		$(EFI_LIB)crt0-efi-x86_64.o $(filter %.o,$^) -L$(EFI_LIB) -lgnuefi
$(BUILD)/bootx64.efi: $(BUILD)/bootx64.so
	objcopy -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym -j '.rel*' -j .reloc \
		--target efi-app-x86_64 --subsystem=10 $< $@

# --- Multiboot2: a position-independent image that relocates itself.
MULTIBOOT2_SOURCES := boot/multiboot2/entry.asm boot/multiboot2/main.c boot/multiboot2/firmware.c boot/multiboot2/paging.c \
	boot/multiboot2/relocate.c boot/multiboot2/rsdp.c boot/multiboot2/rtc.c boot/multiboot2/screen.c \
	boot/multiboot2/tags.c lib/font/font.c lib/font/glyph_blit.c $(BUILD)/generated/font.c

$(BUILD)/multiboot2/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -c $< -o $@
$(BUILD)/multiboot2/%.o: %.asm
	@mkdir -p $(@D)
	$(NASM) $(NASMFLAGS) -MD $(@:.o=.d) -MP $< -o $@
$(BUILD)/multiboot2.elf: $(call boot_objects,multiboot2,$(MULTIBOOT2_SOURCES) $(BOOT_COMMON_SOURCES)) boot/multiboot2/multiboot2.ld
	$(LD) -nostdlib -pie --no-dynamic-linker -znoexecstack -znorelro -zmax-page-size=4096 --no-warn-rwx-segments \
		-T boot/multiboot2/multiboot2.ld -o $@ $(filter %.o,$^)

IMAGE_FILES += $(BUILD)/bootx64.efi $(BUILD)/multiboot2.elf

UNIT_TESTS += boot_memory_map boot_placement boot_page_tables boot_command_line boot_files boot_wall_clock boot_handover
test_boot_memory_map_SOURCES := boot/common/memory_map.c boot/common/uefi_memory.c
test_boot_placement_SOURCES := boot/common/placement.c boot/common/memory_map.c
test_boot_page_tables_SOURCES := boot/common/page_tables.c boot/common/arena.c
test_boot_command_line_SOURCES := boot/common/command_line.c
test_boot_files_SOURCES := boot/common/files.c boot/common/budget.c boot/common/memory_map.c
test_boot_wall_clock_SOURCES := boot/common/wall_clock.c boot/common/framebuffer.c
test_boot_handover_SOURCES := boot/common/handover.c boot/common/command_line.c boot/common/arena.c boot/common/page_tables.c \
	boot/common/memory_map.c boot/common/kernel_image.c boot/common/program_image.c lib/elf/elf.c lib/elf/relocate.c
# Messages as the user reads them.
BOOT_REPORT := boot/common/report.c tests/fake/boot_screen.c lib/base/format.c
UNIT_TESTS += boot_reports
test_boot_reports_SOURCES := $(BOOT_REPORT) boot/common/launch.c boot/common/start.c boot/common/bare.c \
	boot/common/files.c boot/common/placement.c lib/bzimage/parse.c lib/bzimage/place.c \
	lib/bzimage/fill.c $(test_boot_handover_SOURCES)
UNIT_TESTS += boot_pc boot_clock_choice boot_tsc
test_boot_tsc_SOURCES := $(BOOT_REPORT) boot/common/tsc.c boot/common/clock_choice.c
test_boot_clock_choice_SOURCES := boot/common/clock_choice.c
test_boot_pc_SOURCES := boot/common/pc.c lib/acpi/table.c lib/acpi/root.c lib/acpi/madt.c lib/acpi/fadt.c vmm/acpi/builder.c
UNIT_TESTS += boot_multiboot2_tags boot_serial
test_boot_serial_SOURCES := boot/common/serial.c
test_boot_multiboot2_tags_SOURCES := boot/multiboot2/tags.c boot/common/framebuffer.c boot/common/memory_map.c \
	boot/common/uefi_memory.c
UNIT_TESTS += boot_efi_firmware boot_efi_platform boot_efi_volume
test_boot_efi_volume_SOURCES := boot/efi/volume.c boot/common/budget.c boot/common/files.c boot/common/memory_map.c
test_boot_efi_platform_SOURCES := boot/efi/platform.c boot/common/framebuffer.c boot/common/wall_clock.c
test_boot_efi_firmware_SOURCES := boot/efi/firmware.c boot/common/uefi_memory.c boot/common/memory_map.c
$(call boot_objects,host,boot/efi/firmware.c boot/efi/platform.c boot/efi/volume.c \
	tests/unit/test_boot_efi_firmware.c tests/unit/test_boot_efi_platform.c tests/unit/test_boot_efi_volume.c): HOST_CFLAGS += -fshort-wchar \
	-DGNU_EFI_USE_MS_ABI -isystem $(EFI_ROOT)/usr/include/efi -isystem $(EFI_ROOT)/usr/include/efi/x86_64
FUZZ_TARGETS += boot_multiboot2_tags
fuzz_boot_multiboot2_tags_SOURCES := $(test_boot_multiboot2_tags_SOURCES)
UNIT_TESTS += boot_multiboot2_main boot_efi_main
test_boot_multiboot2_main_SOURCES := $(BOOT_REPORT) boot/multiboot2/main.c boot/common/budget.c boot/common/files.c \
	$(test_boot_multiboot2_tags_SOURCES)
test_boot_efi_main_SOURCES := $(BOOT_REPORT) boot/efi/main.c boot/common/budget.c boot/common/memory_map.c
$(BUILD)/host/boot/efi/main.o $(BUILD)/host/tests/unit/test_boot_efi_main.o: HOST_CFLAGS += $(EFI_HEADERS)
