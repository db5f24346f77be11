/* drivers/virt/pci_function. Expected values: PCI Local Bus Specification 3.0, "Configuration Space Organization". */
#include "tests/unit/pci_fake.h"

#define BAR(n) (PCI_CONFIG_BARS + (n) * 4)

static void test_pci_function_shows_its_header(void **state)
{
	(void)state;
	assert_int_equal(get(0, 4), 0x10421af4);
	assert_int_equal(get(2, 2), 0x1042);
	assert_int_equal(get(3, 1), 0x10);
	assert_int_equal(get(8, 4), 0x01800001);
	assert_int_equal(get(0x0a, 2), 0x0180);
	assert_int_equal(get(0x0e, 1), 0);
	assert_int_equal(get(0x2c, 4), 0x11001af4);
	assert_int_equal(get(0x3d, 1), 1);
	put(0, 4, 0);
	put(8, 4, 0);
	put(0x2c, 4, 0);
	put(0x3c, 4, UINT32_MAX);
	assert_int_equal(get(0, 4), 0x10421af4);
	assert_int_equal(get(8, 4), 0x01800001);
	assert_int_equal(get(0x2c, 4), 0x11001af4);
	assert_int_equal(get(0x3c, 4), 0x000001ff); /* of these only the line is software's */
	assert_int_equal(get(0x30, 4), 0);          /* no ROM */
	assert_int_equal(get(0x100, 4), 0);
	put(0x100, 4, UINT32_MAX);
	put(0xffc, 4, UINT32_MAX);
	assert_int_equal(get(0xffc, 4), 0);
}

/* "Software must write all ones and read back." */
static void test_pci_function_bars_are_sized(void **state)
{
	(void)state;
	for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++)
		put(BAR(bar), 4, UINT32_MAX);
	put(0x30, 4, 0xfffff800);
	assert_int_equal(get(BAR(0), 4), 0xffffff81);
	assert_int_equal(get(BAR(1), 4), 0xfffff000);
	assert_int_equal(get(BAR(2), 4), 0xffffc00c);
	assert_int_equal(get(BAR(3), 4), 0xffffffff);
	assert_int_equal(get(BAR(4), 4), 0);
	assert_int_equal(get(BAR(5), 4), 0);
	assert_int_equal(get(0x30, 4), 0);
	assert_int_equal(told.moves, 0);
	put(PCI_CONFIG_COMMAND, 2, 3); /* enabled with what sizing left: no addresses */
	assert_int_equal(told.moves, 0);
}

static void test_pci_function_bars_answer_where_they_are_put(void **state)
{
	(void)state;
	put(BAR(0), 4, 0xc101);
	put(BAR(1), 4, 0xc0001fff);
	put(BAR(2), 4, 0x40000000);
	put(BAR(3), 4, 0x80);
	assert_int_equal(told.moves, 0);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_IO);
	assert_int_equal(told.moves, 1);
	assert_int_equal(told.bars[0], 0xc100);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_int_equal(told.moves, 3);
	assert_int_equal(told.bars[1], 0xc0001000);
	assert_int_equal(told.bars[2], 0x8040000000ULL);
	assert_int_equal(pci_function_bar(&fake, 2), 0x8040000000ULL);
	put(BAR(2), 4, 0x50000000);
	assert_int_equal(told.bars[2], 0x8050000000ULL);
	put(BAR(2), 4, 0x50000000);
	assert_int_equal(told.moves, 4);
	put(BAR(0), 4, 0x1c101); /* past the last port */
	assert_int_equal(told.bars[0], PCI_DECODE_OFF);
	put(BAR(1), 4, 0);
	assert_int_equal(told.bars[1], PCI_DECODE_OFF);
	put(PCI_CONFIG_COMMAND, 2, 0);
	assert_int_equal(told.bars[2], PCI_DECODE_OFF);
	assert_int_equal(pci_function_bar(&fake, 2), PCI_DECODE_OFF);
}

static void test_pci_function_last_windows_are_what_they_seem(void **state)
{
	(void)state;
	put(PCI_CONFIG_COMMAND, 2, 3);
	put(BAR(0), 4, 0xff80); /* the last ports are ports */
	assert_int_equal(told.bars[0], 0xff80);
	put(BAR(1), 4, 0xfffff000); /* what sizing leaves is no place */
	assert_int_equal(told.bars[1], PCI_DECODE_OFF);
	put(BAR(1), 4, 0xffffe000);
	assert_int_equal(told.bars[1], 0xffffe000);
	put(BAR(3), 4, 0x000fffff);
	put(BAR(2), 4, 0xffffc000);
	assert_int_equal(told.bars[2], 0xfffffffffc000ULL);
	put(BAR(3), 4, 0x00100000); /* no processor has such addresses */
	assert_int_equal(told.bars[2], PCI_DECODE_OFF);
}

static void test_pci_function_bars_take_writes_of_every_width(void **state)
{
	(void)state;
	put(PCI_CONFIG_COMMAND, 1, 2);
	put(BAR(1) + 2, 2, 0xc123);
	put(BAR(1) + 1, 1, 0xff);
	assert_int_equal(get(BAR(1), 4), 0xc123f000);
	assert_int_equal(told.bars[1], 0xc123f000);
	put(BAR(1) + 3, 1, 0xd0);
	assert_int_equal(told.bars[1], 0xd023f000);
	assert_int_equal(get(BAR(1) + 1, 1), 0xf0);
	assert_int_equal(get(BAR(1) + 2, 2), 0xd023);
}

static void test_pci_function_command_has_the_bits_it_needs(void **state)
{
	const struct pci_identity bare = {.vendor = 1};
	const struct pci_function_wires none = {0};

	(void)state;
	put(PCI_CONFIG_COMMAND, 4, UINT32_MAX);
	assert_int_equal(get(PCI_CONFIG_COMMAND, 2), 0x0547);
	assert_int_equal(get(PCI_CONFIG_STATUS, 2), 0x0010);
	pci_function_init(&fake, &bare, &none);
	put(PCI_CONFIG_COMMAND, 2, 0xffff);
	assert_int_equal(get(PCI_CONFIG_COMMAND, 2), 0x0544); /* neither ports nor memory */
	assert_int_equal(get(PCI_CONFIG_STATUS, 2), 0);       /* no capabilities */
	pci_function_set_pin(&fake, true);
	assert_false(told.pin);
}

/* Walks the list; returns where capability id is, 0: nowhere. */
static unsigned find_capability(unsigned id)
{
	unsigned at = get(PCI_CONFIG_CAPABILITIES, 1);

	for (unsigned i = 0; at != 0 && i < 48; i++) {
		assert_int_equal(at % 4, 0);
		if (get(at, 1) == id)
			return at;
		at = get(at + 1, 1);
	}
	return 0;
}

static void test_pci_function_lists_its_capabilities(void **state)
{
	static const uint8_t body[6] = {8, 1, 2, 3, 4, 5}, writable[6] = {0, 0, 0x0f};
	unsigned msix = find_capability(PCI_CAPABILITY_MSIX), express = find_capability(PCI_CAPABILITY_EXPRESS), offset;

	(void)state;
	assert_int_equal(msix, 0x40);
	assert_int_equal(get(msix + 2, 2), 3);        /* four vectors */
	assert_int_equal(get(msix + 4, 4), 1);        /* table: BAR 1, from 0 on */
	assert_int_equal(get(msix + 8, 4), 0x801);
	assert_int_equal(get(express + 2, 2), 0x0092); /* version 2, root complex integrated endpoint */
	assert_int_equal(pci_function_add_capability(&fake, PCI_CAPABILITY_VENDOR, body, writable, 8, &offset), OK);
	assert_int_equal(find_capability(PCI_CAPABILITY_VENDOR), offset);
	assert_int_equal(get(offset + 2, 2), 0x0108);
	put(offset + 4, 4, UINT32_MAX);
	assert_int_equal(get(offset + 4, 4), 0x0504030f);
	assert_int_equal(get(offset + 1, 1), 0);
	assert_int_equal(find_capability(0x55), 0);
}

static void test_pci_function_capabilities_fill_all_there_is(void **state)
{
	static const uint8_t body[254] = {0};
	unsigned offset = 0, room;

	(void)state;
	assert_int_equal(pci_function_add_capability(&fake, PCI_CAPABILITY_VENDOR, body, NULL, 2, &offset), OK);
	room = PCI_CONFIG_BYTES - offset - 4;
	assert_int_equal(pci_function_add_capability(&fake, PCI_CAPABILITY_VENDOR, body, NULL, room + 1, &offset), ERR_NO_SPACE);
	assert_int_equal(pci_function_add_capability(&fake, PCI_CAPABILITY_VENDOR, body, NULL, room, &offset), OK);
	assert_int_equal(offset + room, PCI_CONFIG_BYTES);
	assert_int_equal(pci_function_add_capability(&fake, PCI_CAPABILITY_VENDOR, body, NULL, 2, &offset), ERR_NO_SPACE);
}

static void test_pci_function_pin_obeys_command_and_msix(void **state)
{
	(void)state;
	pci_function_set_pin(&fake, true);
	assert_true(told.pin);
	assert_int_equal(get(PCI_CONFIG_STATUS, 2), 0x0018);
	assert_int_equal(get(PCI_CONFIG_COMMAND, 4), 0x00180000);
	assert_int_equal(get(PCI_CONFIG_COMMAND, 2), 0);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_PIN_OFF);
	assert_false(told.pin);
	assert_int_equal(get(PCI_CONFIG_STATUS, 1), 0x18); /* the device's state all the same */
	put(PCI_CONFIG_COMMAND, 2, 0);
	assert_true(told.pin);
	put(0x42, 2, 0x8000);
	assert_false(told.pin);
	put(0x42, 2, 0);
	assert_true(told.pin);
	pci_function_set_pin(&fake, false);
	assert_false(told.pin);
	assert_int_equal(get(PCI_CONFIG_STATUS, 2), 0x0010);
}

static void test_pci_function_reset_brings_back_what_was_placed(void **state)
{
	(void)state;
	pci_function_place_bar(&fake, 0, 0xc000);
	pci_function_place_bar(&fake, 2, 0xc0004000);
	assert_int_equal(get(PCI_CONFIG_COMMAND, 2), 3);
	assert_int_equal(get(BAR(0), 4), 0xc001);
	assert_int_equal(get(BAR(2), 4), 0xc000400c);
	assert_int_equal(told.bars[2], 0xc0004000);
	put(BAR(2), 4, 0xd0000000);
	put(BAR(1), 4, 0xd1000000);
	put(PCI_CONFIG_COMMAND, 2, 0x0406);
	put(0x3c, 1, 11);
	put(0x42, 2, 0xc000);
	pci_function_set_pin(&fake, true);
	pci_function_reset(&fake);
	assert_int_equal(told.bars[0], 0xc000);
	assert_int_equal(told.bars[1], PCI_DECODE_OFF);
	assert_int_equal(told.bars[2], 0xc0004000);
	assert_int_equal(get(PCI_CONFIG_COMMAND, 2), 3);
	assert_int_equal(get(BAR(1), 4), 0);
	assert_int_equal(get(0x3c, 1), 0);
	assert_int_equal(get(0x42, 2), 3);
	assert_int_equal(get(PCI_CONFIG_STATUS, 2), 0x0010);
	assert_false(told.pin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pci_function_shows_its_header, fake_setup),
		cmocka_unit_test_setup(test_pci_function_bars_are_sized, fake_setup),
		cmocka_unit_test_setup(test_pci_function_bars_answer_where_they_are_put, fake_setup),
		cmocka_unit_test_setup(test_pci_function_last_windows_are_what_they_seem, fake_setup),
		cmocka_unit_test_setup(test_pci_function_bars_take_writes_of_every_width, fake_setup),
		cmocka_unit_test_setup(test_pci_function_command_has_the_bits_it_needs, fake_setup),
		cmocka_unit_test_setup(test_pci_function_lists_its_capabilities, fake_setup),
		cmocka_unit_test_setup(test_pci_function_capabilities_fill_all_there_is, fake_setup),
		cmocka_unit_test_setup(test_pci_function_pin_obeys_command_and_msix, fake_setup),
		cmocka_unit_test_setup(test_pci_function_reset_brings_back_what_was_placed, fake_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
