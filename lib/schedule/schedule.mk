SCHEDULE_SOURCES := lib/schedule/plan.c lib/schedule/take.c lib/schedule/pack.c lib/schedule/share.c lib/schedule/orders.c lib/schedule/words.c

UNIT_TESTS += schedule_pack schedule_plan
test_schedule_pack_SOURCES := lib/schedule/pack.c lib/schedule/share.c lib/base/format.c
test_schedule_plan_SOURCES = $(SCHEDULE_SOURCES) $(MANIFEST_SOURCES)
