/* MSI with one message, a 64-bit address, a mask bit and a pending bit. */
#include "drivers/virt/pci_msi.h"

#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_function.h"

/* The registers of the capability with 64-bit address and per-vector masking. */
#define CONTROL          2U
#define ADDRESS          4U
#define ADDRESS_HIGH     8U
#define DATA             12U
#define MASK             16U
#define PENDING          20U
#define CAPABILITY_BYTES 24U

#define CONTROL_ENABLE   0x0001U
#define CONTROL_ENABLED_COUNT 0x70U /* "Multiple Message Enable": there is one message whatever it says */
#define CONTROL_64BIT    0x0080U
#define CONTROL_MASKING  0x0100U
#define ADDRESS_WRITABLE 0xfcU /* of its lowest byte */
#define MESSAGE_0        1U    /* in mask and pending bits */
#define BODY_START       2U    /* a capability's body begins behind its ID and pointer */

unsigned pci_msi_init(struct pci_function *function)
{
	static const uint8_t body[CAPABILITY_BYTES - BODY_START] = {
		CONTROL_64BIT, CONTROL_MASKING >> 8,
	};
	static const uint8_t writable[CAPABILITY_BYTES - BODY_START] = {
		[CONTROL - BODY_START] = CONTROL_ENABLE | CONTROL_ENABLED_COUNT,
		[ADDRESS - BODY_START] = ADDRESS_WRITABLE, 0xff, 0xff, 0xff,
		[ADDRESS_HIGH - BODY_START] = 0xff, 0xff, 0xff, 0xff,
		[DATA - BODY_START] = 0xff, 0xff,
		[MASK - BODY_START] = MESSAGE_0,
	};
	unsigned offset = 0;

	/* One of the first capabilities: there is room. */
	if (pci_function_add_capability(function, PCI_CAPABILITY_MSI, body, writable, CAPABILITY_BYTES, &offset) != OK)
		return 0;
	return offset;
}

static uint32_t get(const struct pci_function *function, unsigned reg, unsigned width)
{
	return pci_function_register(function, function->msi_capability + reg, width);
}

/* "While enabled [MSI-X], the function is prohibited from using MSI": who enables both gets MSI-X. */
bool pci_function_has_msi(const struct pci_function *function)
{
	return function->msi_capability != 0 && (get(function, CONTROL, 2) & CONTROL_ENABLE) != 0 &&
	       !pci_function_has_msix(function);
}

static void set_pending(struct pci_function *function, bool pending)
{
	function->state.config[function->msi_capability + PENDING] = pending ? MESSAGE_0 : 0;
}

void pci_msi_send(struct pci_function *function)
{
	if (!pci_function_has_msi(function))
		return;
	if ((get(function, MASK, 1) & MESSAGE_0) != 0 || !pci_function_is_master(function))
		set_pending(function, true);
	else
		function->wires.send(function->wires.ctx,
				     get(function, ADDRESS, 4) | (uint64_t)get(function, ADDRESS_HIGH, 4) << 32,
				     get(function, DATA, 2));
}

void pci_msi_send_pending(struct pci_function *function)
{
	if (function->msi_capability == 0 || get(function, PENDING, 1) == 0)
		return;
	/* What waited for a function that software switched off is of no use to who switches it on. */
	set_pending(function, false);
	pci_msi_send(function);
}
