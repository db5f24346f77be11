# The project's own test images, one question each: $(BUILD)/guest-suite/NAME.flat and index.tsv, for `./dev suite`. A program is
# NAME.c or NAME.asm with lib/; those of MULTI_CPU_IMAGES start further processors.
GUEST_SUITE := $(BUILD)/guest-suite
GUEST_IMAGE_NAMES := $(basename $(notdir $(sort $(wildcard tests/guest/*.c tests/guest/*.asm))))
GUEST_LIBRARY := $(basename $(sort $(wildcard tests/guest/lib/*.c tests/guest/lib/*.asm)))
MULTI_CPU_IMAGES := cross_modifying cross_mapping

define guest_image_rule
$(GUEST_SUITE)/$(1).flat: $(patsubst %,$(BUILD)/guest/%.o,tests/guest/$(1) $(GUEST_LIBRARY) \
		$(if $(filter $(1),$(MULTI_CPU_IMAGES)),$(basename $(SMP_SOURCES)))) $(FLAT_OBJECTS) guests/flat/flat.ld
	@mkdir -p $$(@D)
	$$(CC) -nostdlib -static -no-pie -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--build-id=none \
		-Wl,-T,guests/flat/flat.ld -o $$(BUILD)/guest/$(1).elf $$(filter %.o,$$^)
	objcopy -O binary $$(BUILD)/guest/$(1).elf $$@
endef
$(foreach image,$(GUEST_IMAGE_NAMES),$(eval $(call guest_image_rule,$(image))))

$(GUEST_SUITE)/index.tsv: tests/guest/index.tsv
	@mkdir -p $(@D)
	cp $< $@
guest-images: $(patsubst %,$(GUEST_SUITE)/%.flat,$(GUEST_IMAGE_NAMES)) $(GUEST_SUITE)/index.tsv
.PHONY: guest-images
