/* What a guest's operating system is told of devices that announce themselves by no bus. The same for every VM:
 * what differs is in BHFT, a word of GUEST_ACPI_ bits (vmm/acpi/tables.h) that the builder defines in a SSDT of its
 * own.
 * Addresses: vmm/acpi/tables.h. */
DefinitionBlock ("", "DSDT", 2, "BLKHD ", "GUEST   ", 1)
{
	External (\BHFT, IntObj)

	/* S5: SLP_TYP 7 for both PM1 control registers, as in the ICH9. */
	Name (\_S5, Package (4) { 7, 7, Zero, Zero })

	Scope (\_SB)
	{
		/* Present, enabled, shown and working if any of the feature bits is set. */
		Method (STAT, 1, NotSerialized)
		{
			If (\BHFT & Arg0)
			{
				Return (0x0F)
			}
			Return (Zero)
		}

		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, Zero)
			Name (_BBN, Zero)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x08))
			}
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xFF, 0, 0x100)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0, 0x0CF7, 0, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0D00, 0xFFFF, 0, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					0, 0xC0000000, 0xDFFFFFFF, 0, 0x20000000)
			})

			/* INTx pin p (0: A) of device d arrives at global system interrupt 16 + (d + p) % 4. */
			Method (_PRT, 0, NotSerialized)
			{
				Local0 = Package (128) {}
				Local1 = Zero
				While (Local1 < 128)
				{
					Local2 = Local1 >> 2
					Local3 = Package (4) { Zero, Zero, Zero, Zero }
					Local3[0] = (Local2 << 16) | 0xFFFF
					Local3[1] = Local1 & 3
					Local3[3] = 16 + ((Local1 + Local2) & 3)
					Local0[Local1] = Local3
					Local1++
				}
				Return (Local0)
			}
		}

		/* Ports of the chipset that no other device owns: both 8259, port 61h, and the whole block that the LPC bridge's
		 * PMBASE stands for, in which PM1 and the PM timer are: Linux wants all of it or nothing. */
		Device (SYSR)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, Zero)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0020, 0x0020, 1, 2)
				IO (Decode16, 0x00A0, 0x00A0, 1, 2)
				IO (Decode16, 0x0061, 0x0061, 1, 1)
				IO (Decode16, 0x04D0, 0x04D0, 1, 2)
				IO (Decode16, 0x0600, 0x0600, 1, 0x80)
			})
		}

		/* Configuration space of PCI Express: Linux uses a MCFG only if its memory is reserved here. */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, One)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x10))
			}
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xE0000000, 0x10000000)
			})
		}

		Device (PIT0)
		{
			Name (_HID, EisaId ("PNP0100"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0040, 0x0040, 1, 4)
				IRQNoFlags () { 0 }
			})
		}

		Device (RTC0)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x04))
			}
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 1, 2)
				IRQNoFlags () { 8 }
			})
		}

		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x20))
			}
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xFED00000, 0x400)
			})
		}

		Device (KBD0)
		{
			Name (_HID, EisaId ("PNP0303"))
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x02))
			}
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0060, 0x0060, 1, 1)
				IO (Decode16, 0x0064, 0x0064, 1, 1)
				IRQNoFlags () { 1 }
			})
		}

		/* The first is the VM's terminal; nothing is connected to the others. */
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x01))
			}
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03F8, 0x03F8, 1, 8)
				IRQ (Edge, ActiveHigh, Shared) { 4 }
			})
		}

		Device (COM2)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 2)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x01))
			}
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x02F8, 0x02F8, 1, 8)
				IRQ (Edge, ActiveHigh, Shared) { 3 }
			})
		}

		Device (COM3)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 3)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x01))
			}
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03E8, 0x03E8, 1, 8)
				IRQ (Edge, ActiveHigh, Shared) { 4 }
			})
		}

		Device (COM4)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 4)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x01))
			}
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x02E8, 0x02E8, 1, 8)
				IRQ (Edge, ActiveHigh, Shared) { 3 }
			})
		}
	}
}
