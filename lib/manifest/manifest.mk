MANIFEST_SOURCES := lib/manifest/manifest.c lib/manifest/keys.c lib/manifest/value.c lib/manifest/value_text.c \
	lib/manifest/value_list.c lib/manifest/value_table.c lib/manifest/value_module.c lib/manifest/disks.c lib/manifest/network.c lib/manifest/regions.c lib/manifest/duration.c \
	lib/manifest/schedule_check.c lib/manifest/report.c lib/manifest/host_check.c lib/manifest/default.c \
	lib/toml/document.c lib/toml/value.c lib/toml/string.c lib/base/format.c lib/disk/disk.c

UNIT_TESTS += manifest manifest_disks manifest_network manifest_regions manifest_modules manifest_schedule manifest_host manifest_docs
test_manifest_SOURCES := $(MANIFEST_SOURCES)
test_manifest_disks_SOURCES := $(MANIFEST_SOURCES)
test_manifest_network_SOURCES := $(MANIFEST_SOURCES)
test_manifest_regions_SOURCES := $(MANIFEST_SOURCES)
test_manifest_modules_SOURCES := $(MANIFEST_SOURCES)
test_manifest_schedule_SOURCES := $(MANIFEST_SOURCES)
test_manifest_host_SOURCES := $(MANIFEST_SOURCES)
test_manifest_docs_SOURCES := $(MANIFEST_SOURCES)

FUZZ_TARGETS += manifest
fuzz_manifest_SOURCES = $(MANIFEST_SOURCES) $(SCHEDULE_SOURCES)

HOST_TOOLS += check_manifest
tool_check_manifest_SOURCES = tools/check_manifest/check_manifest.c $(MANIFEST_SOURCES) $(SCHEDULE_SOURCES)
