; Multiboot2 header and the way from GRUB's 32-bit protected mode to 64-bit C.
; Source: Multiboot2 Specification, "OS image format", "I386 machine state"; SDM Vol. 3A, "Initializing IA-32e Mode".
;
; The image is position-independent: GRUB puts it where memory is free. Addresses are therefore made from EBP, the run-time
; address of .here, and from cells that hold the distance from themselves to what they name ("dd name - $").

MULTIBOOT2_HEADER_MAGIC	equ	0xe85250d6
ARCHITECTURE_I386	equ	0
TAG_OPTIONAL		equ	1
TAG_END			equ	0
TAG_INFORMATION		equ	1
TAG_FRAMEBUFFER		equ	5
TAG_MODULE_ALIGN	equ	6
TAG_RELOCATABLE		equ	10
PREFER_HIGHEST		equ	2

CR0_PE_BIT		equ	0
CR0_PG_BIT		equ	31
CR4_PAE_BIT		equ	5
MSR_IA32_EFER		equ	0xc0000080
EFER_LME_BIT		equ	8
CPUID_EXTENDED		equ	0x80000001
CPUID_EXTENDED_EDX_LM	equ	29
PTE_PRESENT_WRITABLE	equ	3
PTE_LARGE		equ	0x80
CODE_SELECTOR		equ	8
DATA_SELECTOR		equ	16
COM1_DATA		equ	0x3f8
VGA_TEXT		equ	0xb8000

	section	.multiboot2 progbits alloc noexec nowrite align=8
header:
	dd	MULTIBOOT2_HEADER_MAGIC, ARCHITECTURE_I386, header_end - header
	dd	-(MULTIBOOT2_HEADER_MAGIC + ARCHITECTURE_I386 + (header_end - header))

	align	8
	dw	TAG_INFORMATION, 0		; the memory map is a must
	dd	12, 6
	align	8
	dw	TAG_FRAMEBUFFER, TAG_OPTIONAL	; a wish: 1024x768x32; others and text mode will do
	dd	20, 1024, 768, 32
	align	8
	dw	TAG_MODULE_ALIGN, 0
	dd	8
	align	8
	dw	TAG_RELOCATABLE, 0
	dd	24, 0x100000, 0xffffffff, 4096, PREFER_HIGHEST
	align	8
	dw	TAG_END, 0
	dd	8
header_end:

	bits	32
	section	.text.entry progbits alloc exec nowrite align=16

; From GRUB: EAX = loader's magic, EBX = information structure, flat 32-bit segments, paging off, IF = 0, no stack.
; To multiboot2_enter (64-bit, below) with EBX unchanged.
	global	multiboot2_start
multiboot2_start:
	cli
	cld
	lea	esp, [ebx + 8]		; the structure's second dword is reserved: room for one return address
	call	.here
.here:	pop	ebp
	mov	dword [ebx + 4], 0	; as it was
	mov	edi, eax		; the loader's magic

	lea	eax, [ebp + cell_stack - .here]
	add	eax, [eax]
	mov	esp, eax

	mov	esi, ebx		; CPUID uses EBX
	mov	eax, 0x80000000
	cpuid
	cmp	eax, CPUID_EXTENDED
	jb	no_long_mode
	mov	eax, CPUID_EXTENDED
	cpuid
	bt	edx, CPUID_EXTENDED_EDX_LM
	jnc	no_long_mode
	mov	ebx, esi

	; The first 4 GiB by 2 MiB pages: root, one table of level 3, four of level 2, one after the other.
	lea	eax, [ebp + cell_tables - .here]
	add	eax, [eax]
	mov	esi, eax		; root
	lea	ecx, [esi + 0x1000 + PTE_PRESENT_WRITABLE]
	mov	[esi], ecx
	lea	edx, [esi + 0x1000]
	add	ecx, 0x1000
	mov	eax, 4
.level_3:
	mov	[edx], ecx
	add	edx, 8
	add	ecx, 0x1000
	dec	eax
	jnz	.level_3
	lea	edx, [esi + 0x2000]
	mov	ecx, PTE_PRESENT_WRITABLE | PTE_LARGE
.level_2:
	mov	[edx], ecx
	add	edx, 8
	add	ecx, 0x200000
	jnc	.level_2		; until the address wraps at 4 GiB

	mov	eax, cr4
	bts	eax, CR4_PAE_BIT
	mov	cr4, eax
	mov	cr3, esi
	mov	ecx, MSR_IA32_EFER
	rdmsr
	bts	eax, EFER_LME_BIT
	wrmsr
	mov	eax, cr0
	bts	eax, CR0_PG_BIT
	bts	eax, CR0_PE_BIT
	mov	cr0, eax

	lea	eax, [ebp + gdt - .here]
	push	eax
	push	word gdt_end - gdt - 1
	lgdt	[esp]
	add	esp, 6
	push	CODE_SELECTOR
	lea	eax, [ebp + multiboot2_enter - .here]
	push	eax
	retf

; A CPU that cannot run 64-bit code: says so on COM1 and on the text screen, whatever is there, and stops.
; In: EBP = .here. Never returns.
no_long_mode:
	lea	esi, [ebp + message - multiboot2_start.here]
	mov	edi, VGA_TEXT
.next:	lodsb
	test	al, al
	jz	.stop
	mov	ah, 0x0f
	stosw
	mov	ecx, 100000		; time for the UART; its state does not matter where there is none
.wait:	loop	.wait
	mov	dx, COM1_DATA
	out	dx, al
	jmp	.next
.stop:	hlt
	jmp	.stop

message:
	db	"Bulkhead: E506: this CPU cannot run 64-bit programs. What to do: use a PC with Intel VT-x and 64 bits. ", 0

	align	4
cell_stack:
	dd	stack_top - $
cell_tables:
	dd	multiboot2_tables - $

	align	8
gdt:
	dq	0
	dq	0x00209a0000000000	; 64-bit code, ring 0
	dq	0x0000920000000000	; data, ring 0
gdt_end:

	bits	64

; In: EBX = information structure, EDI = the loader's magic, ESP = stack. Calls multiboot2_main(magic, information).
	extern	multiboot2_relocate
	extern	multiboot2_main
multiboot2_enter:
	mov	eax, DATA_SELECTOR
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	esp, esp		; clears the upper halves
	mov	r12d, edi
	mov	ebx, ebx
	xor	ebp, ebp
	call	multiboot2_relocate	; the first C function; it uses no pointer in data
	mov	edi, r12d
	mov	esi, ebx
	call	multiboot2_main
.stop:	cli
	hlt
	jmp	.stop

	section	.bss.entry nobits alloc noexec write align=4096
	global	multiboot2_tables:data hidden
multiboot2_tables:
	resb	6 * 4096
	resb	65536
stack_top:

	section	.note.GNU-stack noalloc noexec nowrite progbits
