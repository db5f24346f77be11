SCREEN_TEXT_SOURCES := console/screen_text.c console/screen_control.c console/text_grid.c console/utf8.c

UNIT_TESTS += screen_text
test_screen_text_SOURCES := $(SCREEN_TEXT_SOURCES)
FUZZ_TARGETS += screen_text
fuzz_screen_text_SOURCES := $(SCREEN_TEXT_SOURCES)
