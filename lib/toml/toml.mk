TOML_SOURCES := lib/toml/document.c lib/toml/value.c lib/toml/string.c

UNIT_TESTS += toml
test_toml_SOURCES := $(TOML_SOURCES) lib/base/format.c

FUZZ_TARGETS += toml
fuzz_toml_SOURCES := $(TOML_SOURCES) lib/base/format.c
