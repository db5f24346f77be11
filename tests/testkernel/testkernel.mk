# A kernel that stands in for ring 0 in tests/system/test_boot_info.py: it checks every promise of abi/boot_info.h and prints
# what it was given.
TESTKERNEL_SOURCES := tests/testkernel/entry.asm tests/testkernel/main.c tests/testkernel/memory.c tests/testkernel/paging.c \
	tests/testkernel/output.c boot/common/ports.c boot/common/serial.c lib/base/format.c lib/base/string.c
TESTKERNEL_LDFLAGS := -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,-z,noexecstack -Wl,--build-id=none \
	-Wl,-z,max-page-size=4096 -Wl,-z,norelro -Wl,-T,linker.ld
$(BUILD)/testkernel.elf: $(call boot_objects,kernel,$(TESTKERNEL_SOURCES)) linker.ld
	$(CC) $(TESTKERNEL_LDFLAGS) -o $@ $(filter %.o,$^)
test-guests: $(BUILD)/testkernel.elf
