# Guest programs of this project, flat binaries (docs/guest-flat.md): $(BUILD)/NAME.bin. hello goes onto the boot volume; those of
# guests/test/ and bench only into images of tests and benchmarks: `make test-guests`.
FLAT_SOURCES := guests/flat/start.asm guests/flat/print.c guests/flat/exceptions.c guests/flat/apic.c guests/flat/timer.c \
	guests/flat/command_line.c
FLAT_VIRTIO_SOURCES := guests/flat/pci.c guests/flat/virtio.c
SMP_SOURCES := guests/flat/smp.c guests/flat/smp_start.asm
BENCH_SHARED_SOURCES := guests/bench/figures.c guests/bench/interrupts.c guests/bench/entries.asm
BENCH_SOURCES := guests/bench/bench.c guests/bench/local_apic.c guests/bench/devices.c $(BENCH_SHARED_SOURCES)
PAIR_SOURCES := guests/bench/pair.c $(BENCH_SHARED_SOURCES) $(SMP_SOURCES)
NET_SOURCES := guests/bench/net.c $(BENCH_SHARED_SOURCES) $(FLAT_VIRTIO_SOURCES)
SHARE_SOURCES := guests/bench/share.c
SWITCH_SOURCES := guests/bench/switch.c $(BENCH_SHARED_SOURCES)
VIRTIO_BENCH_SOURCES := guests/bench/virtio.c $(BENCH_SHARED_SOURCES) $(FLAT_VIRTIO_SOURCES)
WAKE_SOURCES := guests/bench/wake.c $(BENCH_SHARED_SOURCES)
WINDOW_SOURCES := guests/bench/window.c $(BENCH_SHARED_SOURCES)
FLAT_TEST_GUESTS := $(basename $(notdir $(sort $(wildcard guests/test/*.c guests/test/*.asm))))
FLAT_OBJECTS := $(patsubst %,$(BUILD)/guest/%.o,$(basename $(FLAT_SOURCES)))

$(BUILD)/guest/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREESTANDING) -fno-pie -c $< -o $@
$(BUILD)/guest/%.o: %.asm
	@mkdir -p $(@D)
	$(NASM) $(NASMFLAGS) -MD $(@:.o=.d) -MP $< -o $@

# $(1): program; $(2): its sources without .c or .asm
define flat_rule
$(BUILD)/$(1).bin: $(patsubst %,$(BUILD)/guest/%.o,$(2)) $(FLAT_OBJECTS) guests/flat/flat.ld
	$$(CC) -nostdlib -static -no-pie -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--build-id=none \
		-Wl,-T,guests/flat/flat.ld -o $$(@:.bin=.guest.elf) $$(filter %.o,$$^)
	objcopy -O binary $$(@:.bin=.guest.elf) $$@
endef
$(eval $(call flat_rule,hello,guests/hello/hello))
$(eval $(call flat_rule,bench,$(basename $(BENCH_SOURCES))))
$(eval $(call flat_rule,pair,$(basename $(PAIR_SOURCES))))
$(eval $(call flat_rule,share,$(basename $(SHARE_SOURCES))))
$(eval $(call flat_rule,switch,$(basename $(SWITCH_SOURCES))))
$(eval $(call flat_rule,net_bench,$(basename $(NET_SOURCES))))
$(eval $(call flat_rule,virtio_bench,$(basename $(VIRTIO_BENCH_SOURCES))))
$(eval $(call flat_rule,wake,$(basename $(WAKE_SOURCES))))
$(eval $(call flat_rule,window,$(basename $(WINDOW_SOURCES))))
# Those that drive virtio devices.
FLAT_VIRTIO_GUESTS := disk pci virtio_chains shared_memory switch_flood balloon
# Those that count right answers.
FLAT_EXPECT_GUESTS := disk fw_cfg pci testdev virtio_chains
# Those that start further processors.
FLAT_SMP_GUESTS := hostile_pair ioapic many_vcpus paravirtual
$(foreach guest,$(FLAT_TEST_GUESTS),$(eval $(call flat_rule,$(guest),guests/test/$(guest) \
	$(if $(filter $(guest),$(FLAT_SMP_GUESTS)),$(basename $(SMP_SOURCES))) \
	$(if $(filter $(guest),$(FLAT_VIRTIO_GUESTS)),$(basename $(FLAT_VIRTIO_SOURCES))) \
	$(if $(filter $(guest),$(FLAT_EXPECT_GUESTS)),guests/flat/expect) \
	$(if $(filter $(guest),task_switch),guests/tasks/tasks guests/tasks/real) \
	$(if $(filter $(guest),modes),guests/flat/modes))))

# A firmware ROM.
$(BUILD)/rom.bin: guests/rom/rom.asm
	@mkdir -p $(@D)
	$(NASM) -f bin $< -o $@

IMAGE_FILES += $(BUILD)/hello.bin
TEST_GUEST_FILES := $(patsubst %,$(BUILD)/%.bin,bench net_bench virtio_bench pair share switch wake window rom $(FLAT_TEST_GUESTS))
test-guests: $(TEST_GUEST_FILES)
.PHONY: test-guests
