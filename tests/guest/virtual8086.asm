; Does a virtual-8086 task get its ports by the I/O permission bitmap, its faults, and memory that nobody
; owns? SDM Vol. 3B, "Virtual-8086 Mode"; Vol. 1, "I/O Permission Bit Map".

%include "tests/guest/lib/modes.inc"

TSS       equ SEL_FREE
TASK      equ 0x10000		; where the task's code lies
EFLAGS_VM equ 0x20000
ALLOWED   equ 0x300		; ports, both nobody's
FORBIDDEN equ 0x308
DONE      equ 0xfe		; the task says by INT that it is done

question32
; task NAME, VECTOR, ENTRY: runs the task from an entry until it faults, which all of them do in the end.
%macro task 4
	push	dword %4
	push	dword (%3) - task_begin
	call	run_task
	add	esp, 8
	check32 %1, [caught32], %2
	check32 {%1, ": where"}, [caught32 + CAUGHT_EIP], %3_end - task_begin
%endmacro

program:
	pushad
	descriptor TSS, 0, tss_end - tss - 1, 0x89, 0
	mov	eax, tss
	mov	[mode_gdt + TSS + 2], ax
	shr	eax, 16
	mov	[mode_gdt + TSS + 4], al
	mov	[mode_gdt + TSS + 7], ah
	mov	eax, TSS
	ltr	ax
	mov	esi, task_begin
	mov	edi, TASK
	mov	ecx, task_end - task_begin
	cld
	rep	movsb
	task	"IN of a port that is allowed", VECTOR_GP, good_port, 0
	check32 "what it read", [TASK + result - task_begin], 0xff
	check32 "the task's CS", [caught32 + CAUGHT_CS], TASK >> 4
	mov	eax, [caught32 + CAUGHT_EFLAGS]
	and	eax, EFLAGS_VM
	check32 "the task's EFLAGS.VM", eax, EFLAGS_VM
	task	"IN of a port that is not", VECTOR_GP, bad_port, 0
	check32 "its error code", [caught32 + CAUGHT_ERROR], 0
	task	"a wide IN over both", VECTOR_GP, wide_port, 0
	task	"INS of a port that is not allowed", VECTOR_GP, bad_string, 0
	task	"CLI with IOPL 0", VECTOR_GP, clear_interrupts, 0
	task	"CLI with IOPL 3", VECTOR_GP, clear_interrupts_3, 0x3000
	task	"PUSHF with IOPL 0", VECTOR_GP, push_flags, 0
	task	"HLT", VECTOR_GP, halt_task, 0
	task	"MOV from CR0", VECTOR_GP, control_register, 0
	task	"RDMSR", VECTOR_GP, read_register, 0
	task	"UD2", VECTOR_UD, undefined, 0
	task	"nobody's memory", VECTOR_GP, nobody, 0
	check32 "what it read there", [TASK + result - task_begin], 0xffff
	task	"a word at FFFFh", VECTOR_GP, over_limit, 0
	popad
	ret

; run_task(entry, IOPL)
run_task:
	pushad
	mov	eax, [esp + 36]
	mov	ebx, [esp + 40]
	or	ebx, EFLAGS_VM | 2
	try32
	mov	[tss + 4], esp
	sub	dword [tss + 4], 256
	mov	dword [tss + 8], SEL_DATA32
	push	dword 0			; GS
	push	dword 0			; FS
	push	dword TASK >> 4		; DS
	push	dword TASK >> 4		; ES
	push	dword 0x4000		; SS
	push	dword 0xfff0
	push	ebx
	push	dword TASK >> 4
	push	eax
	iretd
	caught
	mov	eax, SEL_DATA32
	mov	fs, eax
	mov	gs, eax
	popad
	ret

bits 16
%define in_task(label) ((label) - task_begin)
task_begin:
good_port:
	mov	dx, ALLOWED
	in	al, dx
	mov	ah, 0
	cwde
	and	eax, 0xff
	mov	[in_task(result)], eax
good_port_end:
	hlt
bad_port:
	mov	dx, FORBIDDEN
bad_port_end:
	in	al, dx
	hlt
wide_port:
	mov	dx, FORBIDDEN - 2
wide_port_end:
	in	eax, dx
	hlt
bad_string:
	mov	dx, FORBIDDEN
	mov	di, 0x8000
bad_string_end:
	insb
	hlt
clear_interrupts:
clear_interrupts_end:
	cli
	hlt
clear_interrupts_3:
	cli
clear_interrupts_3_end:
	hlt
push_flags:
push_flags_end:
	pushf
	hlt
halt_task:
halt_task_end:
	hlt
control_register:
control_register_end:
	mov	eax, cr0
	hlt
read_register:
	mov	ecx, 0x1b
read_register_end:
	rdmsr
	hlt
undefined:
undefined_end:
	ud2
nobody:
	mov	ax, 0xb800
	mov	es, ax
	mov	word [es:2], 0x1234
	movzx	eax, word [es:2]
	mov	[in_task(result)], eax
nobody_end:
	hlt
over_limit:
over_limit_end:
	mov	ax, [0xffff]
	hlt
result:	dd	0
task_end:

section .data
align 16
; 32-bit TSS with a bitmap of the ports up to 30Fh; those of 308h to 30Fh are forbidden.
tss:	times 25 dd 0
	dw	0, bitmap - tss
bitmap:	times FORBIDDEN / 8 db 0
	db	0xff
	db	0xff
tss_end:

section .note.GNU-stack noalloc noexec nowrite progbits
