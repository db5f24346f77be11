/* Shares of CPUs, and placing vCPUs with reservations: nothing is overbooked, and what first fit would place is placed. */
#include "lib/schedule/pack.h"
#include "lib/schedule/share.h"
#include "tests/unit/unit.h"

#define MS         UINT64_C(1000000)
#define GROUPS_MAX 12U
#define ROUNDS     3000U

static struct pack_group groups[MANIFEST_VMS_MAX];
static uint64_t left[MANIFEST_CPUS_MAX];

static void set_cpus(uint32_t count, uint64_t share)
{
	memset(left, 0, sizeof(left));
	for (uint32_t i = 0; i < count; i++)
		left[i] = share;
}

static void set_group(uint32_t index, uint32_t count, uint64_t share, uint64_t cpus)
{
	groups[index] = (struct pack_group){.share = share, .count = count, .owner = index, .cpus = {cpus}};
}

static uint64_t percent(uint64_t value)
{
	return share_of(value * MS, 100 * MS);
}

static void test_schedule_share_is_exact_for_whole_parts(void **state)
{
	char text[SHARE_TEXT_BYTES];

	(void)state;
	assert_true(share_of(10 * MS, 10 * MS) == SHARE_WHOLE);
	assert_true(share_of(5 * MS, 10 * MS) == SHARE_WHOLE / 2);
	assert_true(share_of(1000 * MS, 1000 * MS) == SHARE_WHOLE);
	assert_true(3 * share_of(1 * MS, 3 * MS) <= SHARE_WHOLE && 3 * share_of(1 * MS, 3 * MS) + 3 > SHARE_WHOLE);
	assert_string_equal(share_format_up(3 * share_of(2 * MS, 10 * MS), text), "60");
	assert_string_equal(share_format_up(share_of(1 * MS, 3 * MS), text), "33.3334");
	assert_string_equal(share_format_down(share_of(1 * MS, 3 * MS), text), "33.3333");
	assert_string_equal(share_format_down(SHARE_WHOLE - share_of(MS / 2, 10 * MS), text), "95");
	assert_string_equal(share_format_down(SHARE_WHOLE - share_of(MS / 2, 10 * MS) - share_of(6 * MS, 10 * MS), text), "35");
	assert_string_equal(share_format_up(64 * share_of(999 * MS, 1000 * MS), text), "6393.6");
	assert_string_equal(share_format_down(256 * SHARE_WHOLE, text), "25600");
	assert_string_equal(share_format_up(0, text), "0");
	assert_string_equal(share_format_up(share_of(1000, 1000 * MS), text), "0.0001");
	assert_string_equal(share_format_up(1, text), "0.0001");
	assert_string_equal(share_format_down(1, text), "0");
}

/* A nanosecond more in a second's period is more than the rounding of 4096 reservations. */
static void test_schedule_share_tells_one_tick_from_none(void **state)
{
	(void)state;
	assert_true(share_of(950 * MS + 1, 1000 * MS) - share_of(950 * MS, 1000 * MS) > 4096);
	assert_true(share_of(950 * MS + 1, 1000 * MS) > SHARE_WHOLE - share_of(MS / 2, 10 * MS));
	assert_true(share_of(950 * MS, 1000 * MS) <= SHARE_WHOLE - share_of(MS / 2, 10 * MS));
}

static void test_schedule_pack_takes_what_fits_exactly(void **state)
{
	(void)state;
	set_cpus(2, percent(95));
	set_group(0, 1, percent(95), 3);
	set_group(1, 1, percent(95), 3);
	assert_int_equal(pack_place(groups, 2, left), PACK_PLACED);
	assert_true(left[0] == 0 && left[1] == 0);
	set_cpus(2, percent(95));
	set_group(0, 1, percent(95), 3);
	set_group(1, 1, percent(95) + 1, 3);
	assert_int_equal(pack_place(groups, 2, left), PACK_IMPOSSIBLE);
	assert_true(left[0] == percent(95) && left[1] == percent(95));
	set_cpus(1, SHARE_WHOLE);
	set_group(0, 3, share_of(1 * MS, 3 * MS), 1);
	assert_int_equal(pack_place(groups, 1, left), PACK_PLACED);
	assert_int_equal(pack_place(groups, 0, left), PACK_PLACED);
}

static void test_schedule_pack_puts_vcpus_of_a_vm_on_different_cpus(void **state)
{
	(void)state;
	set_cpus(4, SHARE_WHOLE);
	set_group(0, 6, percent(10), 0xe);
	assert_int_equal(pack_place(groups, 1, left), PACK_PLACED);
	assert_true(left[0] == SHARE_WHOLE);
	for (uint32_t cpu = 1; cpu < 4; cpu++)
		assert_true(left[cpu] == SHARE_WHOLE - 2 * percent(10));
}

/* First fit fails on both: 60 goes to CPU 0 and leaves no room for the VM that has no other. */
static void test_schedule_pack_searches_where_first_fit_fails(void **state)
{
	(void)state;
	set_cpus(2, percent(100));
	set_group(0, 1, percent(60), 3);
	set_group(1, 1, percent(50), 1);
	assert_int_equal(pack_place(groups, 2, left), PACK_PLACED);
	assert_int_equal(groups[0].places[0], 1);
	assert_int_equal(groups[1].places[0], 0);
	/* 44 33 23 and 40 35 25 fill two CPUs; in decreasing order 44 40 leave no place for the last one. */
	set_cpus(2, percent(100));
	set_group(0, 1, percent(44), 3);
	set_group(1, 1, percent(40), 3);
	set_group(2, 1, percent(35), 3);
	set_group(3, 1, percent(33), 3);
	set_group(4, 1, percent(25), 3);
	set_group(5, 1, percent(23), 3);
	assert_int_equal(pack_place(groups, 6, left), PACK_PLACED);
}

/* CPUs that are not there cost the search no steps. */
static void test_schedule_pack_searches_few_cpus_far(void **state)
{
	static const uint32_t shares[] = {46, 43, 40, 38, 38, 38, 32, 27, 25, 25, 17, 11};

	(void)state;
	set_cpus(4, percent(95));
	for (uint32_t i = 0; i < 12; i++)
		set_group(i, 1, percent(shares[i]), 0xf);
	assert_int_equal(pack_place(groups, 12, left), PACK_PLACED);
}

static void test_schedule_pack_says_impossible_or_that_it_gave_up(void **state)
{
	(void)state;
	set_cpus(4, percent(50));
	set_group(0, 3, percent(51), 0xf);
	assert_int_equal(pack_place(groups, 1, left), PACK_IMPOSSIBLE);
	/* 33 CPUs' worth on 64 of them, but none takes two of 65: a search would go on for ages. */
	set_cpus(64, percent(100));
	for (uint32_t i = 0; i < 5; i++)
		set_group(i, 13, percent(51) + i, UINT64_MAX);
	assert_int_equal(pack_place(groups, 5, left), PACK_GAVE_UP);
	for (uint32_t i = 0; i < 64; i++)
		assert_true(left[i] == percent(100));
}

static uint64_t random_state = 88172645463325252U;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

static bool first_fit_decreasing(struct pack_group *sorted, uint32_t count, uint32_t cpu_count, uint64_t room)
{
	uint64_t free_share[MANIFEST_CPUS_MAX];

	for (uint32_t i = 0; i < cpu_count; i++)
		free_share[i] = room;
	for (uint32_t g = 0; g < count; g++) {
		for (uint32_t v = 0; v < sorted[g].count; v++) {
			uint32_t cpu = 0;

			while (cpu < cpu_count && (!manifest_has_cpu(sorted[g].cpus, cpu) || free_share[cpu] < sorted[g].share))
				cpu++;
			if (cpu == cpu_count)
				return false;
			free_share[cpu] -= sorted[g].share;
		}
	}
	return true;
}

/* Counts anew what each CPU was given. */
static void check_placing(uint32_t count, uint32_t cpu_count, uint64_t room)
{
	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX; cpu++) {
		uint64_t used = 0;

		for (uint32_t g = 0; g < count; g++) {
			for (uint32_t v = 0; v < groups[g].count; v++)
				used += groups[g].places[v] == cpu ? groups[g].share : 0;
		}
		assert_true(used <= (cpu < cpu_count ? room : 0));
		assert_true(left[cpu] == (cpu < cpu_count ? room : 0) - used);
	}
	for (uint32_t g = 0; g < count; g++) {
		for (uint32_t v = 0; v < groups[g].count; v++)
			assert_true(manifest_has_cpu(groups[g].cpus, groups[g].places[v]));
	}
}

/* Random VMs on random CPUs. The seed is fixed: a failure can be run again. */
static void test_schedule_pack_never_overbooks_and_is_no_worse_than_first_fit(void **state)
{
	unsigned placed = 0, saved = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t cpu_count = 1 + random_below(6);
		uint64_t room = percent(90 + random_below(11));
		uint32_t count = 1 + random_below(GROUPS_MAX);
		enum pack_result result;
		bool fits;

		for (uint32_t i = 0; i < count; i++) {
			uint64_t cpus = random_below(2) == 0 ? UINT64_MAX : 1 + random_below((1U << cpu_count) - 1);

			set_group(i, 1 + random_below(4), percent(1 + random_below(random_below(3) == 0 ? 60 : 25)), cpus);
		}
		set_cpus(cpu_count, room);
		result = pack_place(groups, count, left);
		fits = first_fit_decreasing(groups, count, cpu_count, room);
		assert_true(result == PACK_PLACED || !fits);
		placed += result == PACK_PLACED;
		saved += result == PACK_PLACED && !fits;
		if (result == PACK_PLACED)
			check_placing(count, cpu_count, room);
	}
	print_message("%u of %u placed, %u of them by spreading or searching only\n", placed, ROUNDS, saved);
	assert_true(placed > ROUNDS / 10 && placed < ROUNDS && saved > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule_share_is_exact_for_whole_parts),
		cmocka_unit_test(test_schedule_share_tells_one_tick_from_none),
		cmocka_unit_test(test_schedule_pack_takes_what_fits_exactly),
		cmocka_unit_test(test_schedule_pack_puts_vcpus_of_a_vm_on_different_cpus),
		cmocka_unit_test(test_schedule_pack_searches_where_first_fit_fails),
		cmocka_unit_test(test_schedule_pack_searches_few_cpus_far),
		cmocka_unit_test(test_schedule_pack_says_impossible_or_that_it_gave_up),
		cmocka_unit_test(test_schedule_pack_never_overbooks_and_is_no_worse_than_first_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
