; Does PAE paging work: the four pointers that are loaded with CR3 and checked then, NX, reserved bits, a device? SDM Vol. 3A, "PAE
; Paging", "PDPTE Registers".

%include "tests/guest/lib/modes.inc"

IOAPIC  equ 0xfec00000
WINDOW  equ 0x40000000
PRESENT equ 1
WRITE   equ 2
LARGE   equ 0x80
MSR_EFER equ 0xc0000080
EFER_NXE equ 0x800

question32
program:
	pushad
	call	make_tables
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_NXE
	wrmsr
	mov	eax, cr4
	or	eax, 0x20		; PAE
	mov	cr4, eax
	mov	eax, pointers
	mov	cr3, eax
	mov	eax, cr0
	or	eax, 0x80010000
	mov	cr0, eax
	jmp	.paged
.paged:	call	memory
	call	faults
	call	loaded
	mov	eax, cr0
	and	eax, 0x7fffffff
	mov	cr0, eax
	mov	ecx, MSR_EFER
	rdmsr
	and	eax, ~EFER_NXE
	wrmsr
	popad
	ret

make_tables:
	cld
	mov	edi, pointers
	xor	eax, eax
	mov	ecx, (tables_end - pointers) / 4
	rep	stosd
	mov	eax, low_directory
	or	eax, PRESENT
	mov	[pointers], eax
	mov	eax, window_directory
	or	eax, PRESENT
	mov	[pointers + 8], eax
	mov	eax, high_directory
	or	eax, PRESENT
	mov	[pointers + 24], eax
	mov	dword [low_directory], LARGE | WRITE | PRESENT
	mov	dword [low_directory + 8], 0x200000 | LARGE | WRITE | PRESENT
	mov	dword [high_directory + ((IOAPIC >> 21) & 511) * 8], (IOAPIC & 0xffe00000) | LARGE | WRITE | PRESENT
	mov	eax, table
	or	eax, WRITE | PRESENT
	mov	[window_directory], eax
	mov	eax, page
	or	eax, WRITE | PRESENT
	mov	[table], eax
	mov	[table + 8], eax
	mov	dword [table + 12], 0x80000000	; NX
	mov	[table + 16], eax
	mov	dword [table + 20], 0x40000000	; bit 62: reserved
	mov	dword [table + 24], IOAPIC | WRITE | PRESENT
	ret

memory:
	mov	dword [page], 0xc3c3c3c3	; RET
	mov	eax, [WINDOW]
	check32 "a page of 4 KiB", eax, 0xc3c3c3c3
	mov	eax, [WINDOW + 0x1000]
	check32 "one that is not executable", eax, 0xc3c3c3c3
	mov	dword [IOAPIC], 0
	mov	dword [WINDOW + 0x3010], 0x07000000
	mov	eax, [IOAPIC + 0x10]
	check32 "a device by two pages", eax, 0x07000000
	ret

faults:
	mov	ebx, WINDOW
	expect32 "a call into an executable page", NONE, {call ebx}
	mov	ebx, WINDOW + 0x1000
	expect32 "a call into one that is not executable", VECTOR_PF, {call ebx}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 0x11
	mov	eax, cr2
	check32 "its address", eax, WINDOW + 0x1000
	expect32 "a reserved bit", VECTOR_PF, {mov eax, [WINDOW + 0x2000]}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 9
	expect32 "no page", VECTOR_PF, {mov [WINDOW + 0x4000], eax}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 2
	expect32 "no directory", VECTOR_PF, {mov eax, [0x80000000]}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 0
	ret

; The pointers count when CR3 is loaded, and not before; wrong ones are refused then.
loaded:
	mov	eax, [pointers + 8]
	mov	[pointers + 16], eax
	expect32 "a pointer that is not loaded yet", VECTOR_PF, {mov eax, [0x80000000]}
	mov	ebx, cr3
	mov	cr3, ebx
	mov	eax, [0x80000000]
	check32 "a pointer that is loaded", eax, 0xc3c3c3c3
	or	dword [pointers + 16], 2	; reserved
	expect32 "MOV to CR3 with a reserved bit in a pointer", VECTOR_GP, {mov cr3, ebx}
	mov	eax, [0x80000000]
	check32 "the old pointer still counts", eax, 0xc3c3c3c3
	and	dword [pointers + 16], ~2
	mov	cr3, ebx
	mov	eax, cr4
	or	eax, 0x80		; PGE: such a change loads them, too
	or	dword [pointers + 16], 0x100
	expect32 "MOV to CR4 with a reserved bit in a pointer", VECTOR_GP, {mov cr4, eax}
	and	dword [pointers + 16], ~0x100
	ret

section .bss
align 4096
pointers:		resb	4096
low_directory:		resb	4096
window_directory:	resb	4096
high_directory:		resb	4096
table:			resb	4096
tables_end:
page:			resb	4096

section .note.GNU-stack noalloc noexec nowrite progbits
