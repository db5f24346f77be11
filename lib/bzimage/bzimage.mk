BZIMAGE_SOURCES := lib/bzimage/parse.c lib/bzimage/place.c lib/bzimage/fill.c

UNIT_TESTS += bzimage
test_bzimage_SOURCES := $(BZIMAGE_SOURCES)
FUZZ_TARGETS += bzimage
fuzz_bzimage_SOURCES := $(BZIMAGE_SOURCES)
