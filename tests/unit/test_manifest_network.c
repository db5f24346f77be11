/* Switches and network cards of bulkhead.toml. */
#include "lib/base/format.h"
#include "tests/unit/manifest_text.h"

#define VM(name) "[[vm]]\nname = \"" name "\"\nkernel = \"k\"\n"
#define LAN      "[[switch]]\nname = \"lan\"\n"

/* The switch may stand below the VMs that name it. */
static void test_manifest_network_is_read(void **state)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0xab, 0xCD, 0xef};
	const struct manifest_net *net;

	(void)state;
	read_text(VM("a") "net = [{ switch = \"lan\", mac = \"52:54:00:ab:CD:ef\", queues = 2, rate = \"10M\", mac_filter = false, "
			  "isolated = true }, { switch = \"dmz\" }]\n[[switch]]\nname = \"dmz\"\n" LAN);
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.switch_count, 2);
	assert_string_equal(manifest.switches[1].name, "lan");
	assert_int_equal(manifest.switches[1].port_count, 1);
	assert_int_equal(manifest.vms[0].net_count, 2);
	net = &manifest.vms[0].nets[0];
	assert_int_equal(net->switch_index, 1);
	assert_memory_equal(net->mac, mac, sizeof(mac));
	assert_int_equal(net->queue_pairs, 2);
	assert_int_equal(net->rate_bytes, 10 << 20);
	assert_false(net->mac_filter);
	assert_true(net->isolated);
	net++;
	assert_int_equal(net->switch_index, 0);
	assert_int_equal(net->queue_pairs, 1);
	assert_int_equal(net->rate_bytes, 0);
	assert_true(net->mac_filter);
	assert_false(net->isolated);
}

static void test_manifest_network_reads_sockets(void **state)
{
	(void)state;
	read_text(VM("a") "vsock = { switch = \"lan\", cid = 3 }\n" VM("b") "vsock = { switch = \"lan\", cid = 4294967294 }\n"
		  VM("c") LAN);
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.vms[0].vsock.cid, 3);
	assert_int_equal(manifest.vms[1].vsock.cid, UINT32_MAX - 1);
	assert_string_equal(manifest.vms[2].vsock.switch_name, "");
	assert_int_equal(manifest.switches[0].port_count, 2);
}

static void test_manifest_network_refuses_sockets_of_one_cid(void **state)
{
	(void)state;
	expect_only(VM("a") "vsock = { switch = \"lan\", cid = 3 }\n" VM("b") "vsock = { switch = \"lan\", cid = 3 }\n" LAN,
		    "E143 bulkhead.toml line 8: VM \"b\": cid 3 is already that of VM \"a\"; choose another");
	assert_false(manifest.vms[0].refused);
	assert_true(manifest.vms[1].refused);
	read_text(VM("a") "vsock = { switch = \"wan\", cid = 3 }\n" LAN);
	assert_true(manifest.vms[0].refused);
	assert_int_equal(manifest.messages[0].code, E140);
	read_text(VM("a") "vsock = { switch = \"lan\", cid = 2 }\n" LAN);
	assert_true(manifest.vms[0].refused);
	assert_int_equal(manifest.messages[0].code, E107);
}

/* A card without an address has the same in every boot, of the locally administered ones, and no two cards have one. */
static void test_manifest_network_gives_addresses(void **state)
{
	static const char text[] = LAN VM("a") "net = [{ switch = \"lan\" }, { switch = \"lan\" }]\n" VM("b")
		"net = [{ switch = \"lan\" }]\n";
	uint8_t first[6];

	(void)state;
	read_text(text);
	assert_int_equal(manifest.message_count, 0);
	memcpy(first, manifest.vms[0].nets[0].mac, 6);
	assert_int_equal(first[0], 2);
	assert_memory_not_equal(first, manifest.vms[0].nets[1].mac, 6);
	assert_memory_not_equal(first, manifest.vms[1].nets[0].mac, 6);
	read_text(text);
	assert_memory_equal(first, manifest.vms[0].nets[0].mac, 6);
}

static void test_manifest_network_refuses_what_is_wrong(void **state)
{
	(void)state;
	expect_only(LAN VM("a") "net = [{ switch = \"lam\" }]\n",
		    "E140 bulkhead.toml line 6: VM \"a\" names switch \"lam\", which there is not; did you mean \"lan\"?");
	assert_true(manifest.vms[0].refused);
	expect_only(VM("a") "net = [{ switch = \"lan\" }]\n",
		    "E140 bulkhead.toml line 4: VM \"a\" names switch \"lan\", which there is not; add a [[switch]] of that name");
	expect_only(LAN VM("a") "net = [{ queues = 2 }]\n",
		    "E110 bulkhead.toml line 6: net has no switch; add text, like \"web\"");
	expect_only(LAN VM("a") "net = [{ switch = \"lan\", mac = \"52:54:00:1:2:3\" }]\n",
		    "E141 bulkhead.toml line 6: mac \"52:54:00:1:2:3\" is no address; write six pairs of hexadecimal digits, like "
		    "\"02:00:00:00:00:01\"");
	expect_only(LAN VM("a") "net = [{ switch = \"lan\", mac = \"01:00:5e:00:00:01\" }]\n",
		    "E141 bulkhead.toml line 6: mac 01:00:5e:00:00:01 is not that of one card; make its first pair even, like 02, "
		    "and not all of it 0");
	expect_only(LAN VM("a") "net = [{ switch = \"lan\", queues = 9 }]\n",
		    "E107 bulkhead.toml line 6: queues is 9; write 1 to 8");
	expect_only(LAN VM("a") "net = [{ switch = \"lan\", mac = \"02:00:00:00:00:01\" }]\n" VM("b")
			    "net = [{ switch = \"lan\", mac = \"02:00:00:00:00:01\" }]\n",
		    "E141 bulkhead.toml line 10: VM \"b\": mac is already that of VM \"a\" on switch \"lan\"; choose another");
	assert_false(manifest.vms[0].refused);
	assert_true(manifest.vms[1].refused);
	expect_only(LAN VM("a") "net = [{switch=\"lan\"},{switch=\"lan\"},{switch=\"lan\"},{switch=\"lan\"},{switch=\"lan\"}]\n",
		    "E107 bulkhead.toml line 6: net has more than 4 tables; leave some out");
}

static void test_manifest_network_checks_switches(void **state)
{
	char text[1024] = VM("a");

	(void)state;
	expect_only(VM("a") LAN LAN,
		    "E109 bulkhead.toml line 6: name \"lan\" is already that of the switch on line 4; choose another");
	assert_false(manifest.vms[0].refused);
	expect_only(VM("a") "[[switch]]\n", "E110 bulkhead.toml line 4: [[switch]] has no name; add a line name = \"...\"");
	expect_only(VM("a") "[[switch]]\nname = \"b c\"\n",
		    "E108 bulkhead.toml line 5: name \"b c\" cannot be used; write 1 to 31 of a-z, 0-9, - and _");
	for (unsigned i = 0; i < MANIFEST_SWITCHES_MAX + 1; i++)
		format_text(text + strlen(text), sizeof(text) - strlen(text), "[[switch]]\nname = \"s%u\"\n", i);
	expect_only(text, "E116 bulkhead.toml line 20: switch \"s8\" is ignored; at most 8 are supported");
	assert_int_equal(manifest.switch_count, MANIFEST_SWITCHES_MAX);
}

/* 16 VMs of 4 cards are more than a switch has ports. */
static void test_manifest_network_counts_ports(void **state)
{
	static char text[8192] = LAN;
	size_t used = strlen(text);

	(void)state;
	for (unsigned i = 0; i < 15; i++)
		used += format_text(text + used, sizeof(text) - used,
				    "[[vm]]\nname = \"v%u\"\nkernel = \"k\"\nnet = [{switch=\"lan\"}, {switch=\"lan\"}, "
				    "{switch=\"lan\"}, {switch=\"lan\"}]\n", i);
	read_text(text);
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.switches[0].port_count, SWITCH_PORTS_MAX);
	format_text(text + used, sizeof(text) - used, VM("last") "net = [{ switch = \"lan\" }]\n");
	expect_only(text, "E140 bulkhead.toml line 66: VM \"last\" is one too many on switch \"lan\", which has 60 ports; add "
			  "another [[switch]]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_network_is_read),
		cmocka_unit_test(test_manifest_network_reads_sockets),
		cmocka_unit_test(test_manifest_network_refuses_sockets_of_one_cid),
		cmocka_unit_test(test_manifest_network_gives_addresses),
		cmocka_unit_test(test_manifest_network_refuses_what_is_wrong),
		cmocka_unit_test(test_manifest_network_checks_switches),
		cmocka_unit_test(test_manifest_network_counts_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
