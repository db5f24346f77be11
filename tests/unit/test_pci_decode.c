/* drivers/virt/pci_decode: windows answer where they are now, the first one attached before others, none at the end of space. */
#include "drivers/virt/pci_decode.h"
#include "tests/unit/unit.h"

static struct pci_decode decode;
static int devices[3];
static const struct device_ops ops = {.name = "test", .width_max = 4};

static int setup(void **state)
{
	(void)state;
	decode.window_count = 0;
	return 0;
}

static unsigned attach(bool is_io, uint64_t size_bytes, int *device)
{
	const struct pci_window window = {.is_io = is_io, .size_bytes = size_bytes, .first_offset = 8, .ops = &ops, .dev = device,
					  .lock = device};
	unsigned index;

	assert_int_equal(pci_decode_attach(&decode, &window, &index), OK);
	return index;
}

/* Whose address it is; NULL: nobody's. */
static void *owner(bool is_io, uint64_t address, unsigned width)
{
	struct io_region region;

	return pci_decode_find(&decode, is_io, address, width, &region) ? region.dev : NULL;
}

static void test_pci_decode_finds_what_lies_inside(void **state)
{
	unsigned memory = attach(false, 0x1000, &devices[0]), ports = attach(true, 0x20, &devices[1]);
	struct io_region region;

	(void)state;
	assert_null(owner(false, 0xc0000000, 4));
	pci_decode_move(&decode, memory, 0xc0000000);
	pci_decode_move(&decode, ports, 0xc000);
	assert_ptr_equal(owner(false, 0xc0000000, 8), &devices[0]);
	assert_ptr_equal(owner(false, 0xc0000ffc, 4), &devices[0]);
	assert_null(owner(false, 0xc0000ffd, 4));
	assert_null(owner(false, 0xbfffffff, 4));
	assert_null(owner(true, 0xc0000000, 4));
	assert_null(owner(false, 0xc000, 4));
	assert_ptr_equal(owner(true, 0xc01f, 1), &devices[1]);
	assert_true(pci_decode_find(&decode, true, 0xc004, 2, &region));
	assert_true(region.base == 0xc000 && region.size == 0x20 && region.first_offset == 8);
	assert_ptr_equal(region.ops, &ops);
	assert_ptr_equal(region.lock, &devices[1]);
}

static void test_pci_decode_follows_moves(void **state)
{
	unsigned index = attach(false, 0x1000, &devices[0]);

	(void)state;
	pci_decode_move(&decode, index, 0xc0000000);
	pci_decode_move(&decode, index, 0x8000000000ULL);
	assert_null(owner(false, 0xc0000000, 4));
	assert_ptr_equal(owner(false, 0x8000000010ULL, 4), &devices[0]);
	assert_true(pci_decode_base(&decode, index) == 0x8000000000ULL);
	pci_decode_move(&decode, index, PCI_DECODE_OFF);
	assert_null(owner(false, 0x8000000010ULL, 4));
	assert_null(owner(false, 0, 4)); /* PCI_DECODE_OFF and the window's size wrap around */
	assert_null(owner(false, UINT64_MAX, 1));
}

static void test_pci_decode_first_attached_answers(void **state)
{
	unsigned first = attach(false, 0x1000, &devices[0]), second = attach(false, 0x10000, &devices[1]);

	(void)state;
	pci_decode_move(&decode, first, 0xd0000000);
	pci_decode_move(&decode, second, 0xd0000000);
	assert_ptr_equal(owner(false, 0xd0000000, 4), &devices[0]);
	assert_ptr_equal(owner(false, 0xd0001000, 4), &devices[1]);
}

static void test_pci_decode_is_full_after_its_last_window(void **state)
{
	const struct pci_window window = {.size_bytes = 16, .ops = &ops};
	unsigned index = 77;

	(void)state;
	for (unsigned i = 0; i < PCI_DECODE_WINDOWS_MAX; i++)
		(void)attach(true, 16, &devices[2]);
	assert_int_equal(pci_decode_attach(&decode, &window, &index), ERR_NO_SPACE);
	assert_int_equal(index, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pci_decode_finds_what_lies_inside, setup),
		cmocka_unit_test_setup(test_pci_decode_follows_moves, setup),
		cmocka_unit_test_setup(test_pci_decode_first_attached_answers, setup),
		cmocka_unit_test_setup(test_pci_decode_is_full_after_its_last_window, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
