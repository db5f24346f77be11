# The ring 0 image: kernel/, virt/, vmx/ and what they use of lib/. Linked twice: the second time with its own symbol table.
KERNEL_SOURCES += $(sort $(wildcard kernel/*.asm)) $(filter-out kernel/kernel_offsets.c,$(sort $(wildcard kernel/*.c kernel/schedule/*.c))) \
	lib/base/string.c lib/base/format.c $(FONT_SOURCES)
OFFSETS_SOURCES += kernel/kernel_offsets.c

KERNEL_LDFLAGS := $(filter-out -MMD -MP,$(KERNEL_CFLAGS)) -flto=2 -nostdlib -static-pie -Wl,-T,linker.ld -Wl,-z,noexecstack \
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,norelro -Wl,--no-dynamic-linker

# A recursive variable: fragments that come later still add to it.
KERNEL_OBJECTS = $(call objects,kernel,$(KERNEL_SOURCES))

# C structure offsets for nasm: the compiler's assembly output holds "->%define NAME VALUE" lines.
.SECONDEXPANSION:
# Fragments of other folders add to OFFSETS_SOURCES after this one was read.
$(BUILD)/generated/%_offsets.inc: $$(filter %/$$*_offsets.c,$$(OFFSETS_SOURCES)) $$(wildcard abi/*.h kernel/*.h virt/*.h vmx/*.h)
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(KERNEL_CFLAGS)) -S $< -o - | sed -n 's/^->//p' > $@
$(BUILD)/kernel/kernel/smp_trampoline.o: $(BUILD)/generated/kernel_offsets.inc

$(BUILD)/kernel.elf: $$(KERNEL_OBJECTS) linker.ld tools/ksyms.py tools/check_elf.py
	@mkdir -p $(BUILD)/generated
	$(PYTHON) tools/ksyms.py - $(BUILD)/generated/symbols_0.c
	$(CC) $(KERNEL_CFLAGS) -c $(BUILD)/generated/symbols_0.c -o $(BUILD)/generated/symbols_0.o
	$(CC) $(KERNEL_LDFLAGS) -o $(BUILD)/generated/kernel_0.elf $(filter %.o,$^) $(BUILD)/generated/symbols_0.o
	$(PYTHON) tools/ksyms.py $(BUILD)/generated/kernel_0.elf $(BUILD)/generated/symbols_1.c
	$(CC) $(KERNEL_CFLAGS) -c $(BUILD)/generated/symbols_1.c -o $(BUILD)/generated/symbols_1.o
	$(CC) $(KERNEL_LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/generated/symbols_1.o
	$(PYTHON) tools/check_elf.py --kernel $@

IMAGE_FILES += $(BUILD)/kernel.elf

# Host tests: the kernel's logic on a simulated PC (tests/fake/kernel_pc.c).
KERNEL_FAKES := tests/fake/kernel_pc.c tests/fake/kernel_panic.c tests/fake/kernel_spinlock.c tests/fake/kernel_log.c \
	tests/fake/kernel_reaper.c kernel/chunks.c kernel/chunks_init.c kernel/pool.c kernel/page_table.c kernel/object.c
UNIT_TESTS += kernel_smp
test_kernel_smp_SOURCES := kernel/smp.c lib/base/format.c tests/fake/kernel_panic.c tests/fake/kernel_spinlock.c
UNIT_TESTS += kernel_chunks kernel_pool
test_kernel_chunks_SOURCES := $(KERNEL_FAKES)
test_kernel_pool_SOURCES := $(KERNEL_FAKES)
UNIT_TESTS += kernel_space
test_kernel_space_SOURCES := $(KERNEL_FAKES) tests/fake/kernel_threads.c tests/fake/kernel_hypervisor.c kernel/space.c kernel/program.c \
	kernel/space_fill.c kernel/view.c kernel/memory.c kernel/memory_pieces.c kernel/handle_table.c kernel/event.c kernel/schedule/group.c
UNIT_TESTS += kernel_first_program
test_kernel_first_program_SOURCES := $(test_kernel_space_SOURCES) kernel/first_program.c
UNIT_TESTS += kernel_memory kernel_handle_table kernel_stack kernel_gdt
test_kernel_gdt_SOURCES := $(KERNEL_FAKES) kernel/gdt.c
test_kernel_memory_SOURCES := $(KERNEL_FAKES) kernel/memory.c kernel/memory_pieces.c
test_kernel_handle_table_SOURCES := $(KERNEL_FAKES) kernel/handle_table.c
test_kernel_stack_SOURCES := $(KERNEL_FAKES) kernel/kernel_stack.c
UNIT_TESTS += kernel_timer_heap kernel_log kernel_boot_state kernel_event kernel_page_table kernel_symbols
test_kernel_timer_heap_SOURCES := kernel/timer_heap.c
test_kernel_log_SOURCES := kernel/log.c lib/base/format.c tests/fake/kernel_spinlock.c tests/fake/kernel_panic.c
test_kernel_boot_state_SOURCES := kernel/boot_state.c
test_kernel_event_SOURCES := $(KERNEL_FAKES) tests/fake/kernel_threads.c kernel/event.c
test_kernel_page_table_SOURCES := $(KERNEL_FAKES)
test_kernel_symbols_SOURCES := kernel/symbols.c
UNIT_TESTS += kernel_reaper
test_kernel_reaper_SOURCES := $(filter-out tests/fake/kernel_reaper.c,$(test_kernel_space_SOURCES)) kernel/reaper.c \
	tests/fake/kernel_cpu_stack.c
KERNEL_SCHEDULE_SOURCES := $(sort $(wildcard kernel/schedule/*.c)) kernel/timer_heap.c
UNIT_TESTS += kernel_schedule
test_kernel_schedule_SOURCES := $(KERNEL_SCHEDULE_SOURCES)
UNIT_TESTS += kernel_schedule_windows kernel_schedule_random
test_kernel_schedule_windows_SOURCES := $(KERNEL_SCHEDULE_SOURCES)
test_kernel_schedule_random_SOURCES := $(KERNEL_SCHEDULE_SOURCES)
UNIT_TESTS += kernel_scheduler
test_kernel_scheduler_SOURCES := kernel/scheduler.c kernel/inbox.c kernel/balance.c kernel/object.c $(KERNEL_SCHEDULE_SOURCES) \
	tests/fake/kernel_cpu_stack.c tests/fake/kernel_spinlock.c tests/fake/kernel_panic.c tests/fake/kernel_reaper.c
$(BUILD)/host/kernel/scheduler.o $(BUILD)/host/kernel/inbox.o $(BUILD)/host/kernel/balance.o: \
	HOST_CFLAGS += -include tests/fake/kernel_clock.h
UNIT_TESTS += kernel_thread kernel_shootdown
test_kernel_shootdown_SOURCES := kernel/shootdown.c tests/fake/kernel_cpu_stack.c
test_kernel_thread_SOURCES := $(KERNEL_FAKES) $(KERNEL_SCHEDULE_SOURCES) kernel/thread.c
