# The console's font: a build input from Debian's package console-setup-linux, never committed.
CONSOLE_FONT ?= /usr/share/consolefonts/Uni2-TerminusBold16.psf.gz
FONT_SOURCES := $(BUILD)/generated/font.c lib/font/font.c lib/font/glyph_blit.c

$(BUILD)/generated/font.c: $(CONSOLE_FONT) tools/font_to_c.py
	@mkdir -p $(@D)
	$(PYTHON) tools/font_to_c.py $(CONSOLE_FONT) console_font $@

$(CONSOLE_FONT):
	@echo "$@: no such font: install console-setup-linux, or name another: CONSOLE_FONT=FILE" >&2; false

UNIT_TESTS += font
test_font_SOURCES := $(FONT_SOURCES)
UNIT_TESTS += glyph_blit
test_glyph_blit_SOURCES := $(FONT_SOURCES)
