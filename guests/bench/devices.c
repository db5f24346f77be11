/* One access to each kind of device: the exit, the way to the model and back, and the model's own part. As a rule a read of the
 * register that drivers read most. */
#include "guests/bench/bench.h"
#include "guests/flat/cpu.h"

#define IOAPIC_WINDOW ((volatile uint32_t *)0xfec00010UL)
#define HPET_COUNTER ((volatile uint32_t *)0xfed000f0UL)
#define NO_MEMORY    ((volatile uint32_t *)0xd0000000UL)
#define PCI_ADDRESS  0xcf8U
#define HOST_BRIDGE  0x80000000U

#define LOAD_DX "movw %[operand], %%dx"

#define DEVICE(name, empty, instruction, ...)                \
	do {                                                 \
		MEASURE(instruction, __VA_ARGS__);           \
		show("device_" name "_ticks", median() - (empty)); \
	} while (0)
#define PORT(name, port)         DEVICE(name, nothing, "inb %[operand], %%al", [operand] "i"(port))
#define FAR_PORT(name, port)     DEVICE(name, load_dx, LOAD_DX "\n\tinb %%dx, %%al", [operand] "i"(port))
#define FAR_PORT_32(name, port)  DEVICE(name, load_dx, LOAD_DX "\n\tinl %%dx, %%eax", [operand] "i"(port))
#define DEVICE_MEMORY(name, place) DEVICE(name, nothing, "movl %[operand], %%eax", [operand] "m"(*(place)))

/* A port above 255 takes a load of DX, which is the loop's. */
void measure_devices(void)
{
	uint32_t nothing, load_dx;

	MEASURE("", [operand] "i"(0));
	nothing = empty_ticks("empty_8");
	MEASURE(LOAD_DX, [operand] "i"(PCI_ADDRESS));
	load_dx = empty_ticks("empty_9");
	PORT("pic8259", 0x21);
	PORT("pit8254", 0x40);
	PORT("port61", 0x61);
	PORT("i8042", 0x64);
	out8(0x70, 0x0f);
	PORT("rtc_cmos", 0x71);
	FAR_PORT("uart16550", 0x3fd);
	FAR_PORT_32("acpi_pm_timer", 0x608);
	__asm__ volatile("outl %0, %1" : : "a"(HOST_BRIDGE), "d"((uint16_t)PCI_ADDRESS));
	FAR_PORT_32("pci_config", 0xcfc);
	FAR_PORT("fw_cfg", 0x511);
	PORT("debug_port", 0xf4);
	PORT("testdev", 0xe0);
	FAR_PORT("no_port", 0x278);
	DEVICE_MEMORY("ioapic", IOAPIC_WINDOW);
	DEVICE_MEMORY("hpet", HPET_COUNTER);
	DEVICE_MEMORY("no_memory", NO_MEMORY);
}
