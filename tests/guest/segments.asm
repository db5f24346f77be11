; Do segments of protected mode end where their descriptors say, with the right fault, also where the access is one to a device? SDM
; Vol. 3A, "Limit Checking", "Type Checking", "Privilege Levels".

%include "tests/guest/lib/modes.inc"

IOAPIC equ 0xfec00000
DOWN   equ SEL_FREE + 8
READ   equ SEL_FREE + 16
ABSENT equ SEL_FREE + 24
EXEC   equ SEL_FREE + 32
DEVICE equ SEL_FREE + 40
SMALL  equ SEL_FREE + 48

question32
program:
	pushad
	descriptor SEL_FREE, 0x50000, 0xfff, ACCESS_DATA, FLAGS_32
	descriptor DOWN, 0x50000, 0xfff, 0x97, FLAGS_32	; expand-down: 1000h to FFFFFFFFh
	descriptor READ, 0x50000, 0xfff, 0x91, FLAGS_32
	descriptor ABSENT, 0x50000, 0xfff, 0x13, FLAGS_32
	descriptor EXEC, 0x50000, 0xfff, 0x99, FLAGS_32	; not readable
	descriptor DEVICE, IOAPIC, 0x12, ACCESS_DATA, FLAGS_32
	descriptor SMALL, 0x51000, 0xfff, ACCESS_DATA, FLAGS_32
	mov	eax, SEL_FREE
	mov	fs, eax
	expect32 "the last byte", NONE, {mov byte [fs:0xfff], 1}
	expect32 "the last dword", NONE, {mov dword [fs:0xffc], 1}
	expect32 "a dword over the limit", VECTOR_GP, {mov dword [fs:0xffd], 1}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 0
	expect32 "a byte behind the limit", VECTOR_GP, {mov al, [fs:0x1000]}
	expect32 "a dword over 4 GiB", VECTOR_GP, {mov eax, [fs:0xfffffffe]}
	mov	eax, DOWN
	mov	fs, eax
	expect32 "expand-down, the first byte", NONE, {mov al, [fs:0x1000]}
	expect32 "expand-down, below it", VECTOR_GP, {mov al, [fs:0xfff]}
	expect32 "expand-down, over both", VECTOR_GP, {mov eax, [fs:0xffe]}
	mov	eax, READ
	mov	fs, eax
	expect32 "a read-only segment is read", NONE, {mov al, [fs:0]}
	expect32 "a read-only segment is written", VECTOR_GP, {mov [fs:0], al}
	expect32 "code is written", VECTOR_GP, {mov [cs:program], al}
	expect32 "code is read", NONE, {mov al, [cs:program]}
	call	loads
	call	device
	call	stack
	popad
	ret

loads:
	mov	ebx, ABSENT
	expect32 "a segment that is not present", VECTOR_NP, {mov fs, ebx}
	check32 "its error code is the selector", [caught32 + CAUGHT_ERROR], ABSENT
	expect32 "a stack segment that is not present", VECTOR_SS, {mov ss, ebx}
	mov	ebx, EXEC
	expect32 "code that cannot be read", VECTOR_GP, {mov fs, ebx}
	check32 "its error code", [caught32 + CAUGHT_ERROR], EXEC
	mov	ebx, 16 * 8
	expect32 "a selector behind the table", VECTOR_GP, {mov fs, ebx}
	check32 "its error code", [caught32 + CAUGHT_ERROR], 16 * 8
	mov	ebx, 4
	expect32 "a selector of no local table", VECTOR_GP, {mov fs, ebx}
	mov	ebx, READ
	expect32 "a stack that cannot be written", VECTOR_GP, {mov ss, ebx}
	xor	ebx, ebx
	expect32 "the null selector", NONE, {mov fs, ebx}
	expect32 "an access by it", VECTOR_GP, {mov al, [fs:0]}
	expect32 "the null selector for the stack", VECTOR_GP, {mov ss, ebx}
	expect32 "a far jump to data", VECTOR_GP, {jmp SEL_DATA32:program}
	expect32 "a far jump to nowhere", VECTOR_GP, {jmp 0:program}
	expect32 "INT of a gate that is not there", VECTOR_GP, {int 0x40}
	check32 "its error code names the gate", [caught32 + CAUGHT_ERROR], 0x40 * 8 + 2
	ret

; Its limit is 12h: the register at 10h ends one byte behind it.
device:
	mov	eax, DEVICE
	mov	fs, eax
	mov	dword [fs:0], 0
	mov	dword [IOAPIC + 0x10], 0x05000000
	movzx	ecx, byte [fs:0x12]
	check32 "the last byte of a device", ecx, 0
	expect32 "a device's register over the limit", VECTOR_GP, {mov eax, [fs:0x10]}
	expect32 "a store to it", VECTOR_GP, {mov [fs:0x10], eax}
	expect32 "a read-modify-write of it", VECTOR_GP, {inc dword [fs:0x10]}
	expect32 "a device's register behind the limit", VECTOR_GP, {mov al, [fs:0x13]}
	mov	esi, 0x10
	mov	edi, 0x50000
	expect32 "a string from it", VECTOR_GP, {fs movsd}
	check32 "nothing moved", esi, 0x10
	mov	eax, [IOAPIC + 0x10]
	check32 "nothing was stored", eax, 0x05000000
	mov	eax, READ
	mov	es, eax
	xor	edi, edi
	mov	edx, 0x300
	expect32 "INS to a read-only segment", VECTOR_GP, {insb}
	check32 "no address moved", edi, 0
	mov	eax, SMALL
	mov	es, eax
	mov	edi, 0xffd
	mov	ecx, 9
	expect32 "REP INS over the limit", VECTOR_GP, {rep insb}
	check32 "the elements that fitted", ecx, 6
	check32 "where it stopped", edi, 0x1000
	mov	eax, SMALL
	mov	es, eax
	mov	edi, 0xffe
	expect32 "INSD over the limit", VECTOR_GP, {insd}
	mov	eax, SEL_DATA32
	mov	es, eax
	ret

; The handler needs a stack, so that only what is behind this one is tried.
stack:
	mov	eax, SMALL
	mov	ebx, esp
	try32
	mov	ss, eax
	mov	esp, 0x800
	mov	ecx, [ss:0x1000]
	caught
	mov	ecx, SEL_DATA32
	mov	ss, ecx
	mov	esp, ebx
	check32 "a stack access behind the limit", [caught32], VECTOR_SS
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
