/* What a guest's operating system is told of devices that announce themselves by no bus. The same for every VM:
 * what differs is in words that the builder defines in a SSDT of its own (vmm/acpi/tables.h): BHFT, GUEST_ACPI_ bits;
 * BHWN, where the first window of memory for PCI begins; BHHF and BHHE, where the one above 4 GiB begins and ends, in GiB,
 * the same for none; BHEC, where PCI Express configuration space is, 0 for nowhere, and BHEL, its length.
 * Addresses: vmm/acpi/tables.h. */
DefinitionBlock ("", "DSDT", 2, "BLKHD ", "GUEST   ", 1)
{
	External (\BHFT, IntObj)
	External (\BHWN, IntObj)
	External (\BHHF, IntObj)
	External (\BHHE, IntObj)
	External (\BHEC, IntObj)
	External (\BHEL, IntObj)

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
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, Zero)
			Name (_SEG, Zero)
			Name (_BBN, Zero)
			Method (_STA, 0, NotSerialized)
			{
				Return (STAT (0x08))
			}

			/* The first window of memory begins where firmware for a Q35 begins to place BARs: at 2 GiB, or above RAM
			 * that goes further. */
			Name (WNDS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0, 0x0CF7, 0, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0D00, 0xFFFF, 0, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					0, 0x80000000, 0xDFFFFFFF, 0, 0x60000000, , , LOWW)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					0, 0xF0000000, 0xFEBFFFFF, 0, 0x0EC00000)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
					0, 0x100000000, 0xFFFFFFFFF, 0, 0xF00000000, , , HIGH)
			})
			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (WNDS, \_SB.PCI0.LOWW._MIN, WMIN)
				CreateDWordField (WNDS, \_SB.PCI0.LOWW._LEN, WLEN)
				WMIN = \BHWN
				WLEN = 0xE0000000 - \BHWN
				CreateQWordField (WNDS, \_SB.PCI0.HIGH._MIN, HMIN)
				CreateQWordField (WNDS, \_SB.PCI0.HIGH._MAX, HMAX)
				CreateQWordField (WNDS, \_SB.PCI0.HIGH._LEN, HLEN)
				HMIN = \BHHF << 30
				HLEN = (\BHHE - \BHHF) << 30
				HMAX = HMIN + HLEN - 1
				Return (WNDS)
			}

			/* Of what an operating system may ask for, only the PCI Express capability is here for it to control: there is
			 * no hot plug, no PME, no error reporting. Bits of the first word: 2 unknown UUID, 3 unknown revision,
			 * 4 something was not granted. */
			Method (_OSC, 4, Serialized)
			{
				CreateDWordField (Arg3, Zero, CDW1)
				If (Arg0 != ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766"))
				{
					CDW1 |= 0x04
					Return (Arg3)
				}
				If (Arg1 != One)
				{
					CDW1 |= 0x08
				}
				If (Arg2 > 2)
				{
					CreateDWordField (Arg3, 8, CDW3)
					Local0 = CDW3 & 0x10
					If (CDW3 != Local0)
					{
						CDW1 |= 0x10
					}
					CDW3 = Local0
				}
				Return (Arg3)
			}

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

			/* What stands at ports of its own, behind the LPC bridge. */
			Device (LPCB)
			{
				Name (_ADR, 0x001F0000)

				/* Ports of the chipset that no other device owns: both 8259, port 61h, and the block that PMBASE
				 * stands for, in which PM1 and the PM timer are: Linux wants all of it or nothing. */
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

		/* Configuration space of PCI Express: Linux uses a MCFG only if its memory is reserved here. */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, One)
			Name (SPAC, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xE0000000, 0x10000000, BASE)
			})
			Method (_STA, 0, NotSerialized)
			{
				If (\BHEC == Zero)
				{
					Return (Zero)
				}
				Return (STAT (0x10))
			}
			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (SPAC, \_SB.ECAM.BASE._BAS, WBAS)
				CreateDWordField (SPAC, \_SB.ECAM.BASE._LEN, WLEN)
				WBAS = \BHEC
				WLEN = \BHEL
				Return (SPAC)
			}
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
	}
}
