; Instructions that may fault for reasons ring 0 cannot know beforehand: user memory and MSRs that may not exist.
; Each has one instruction listed in `fault_fixups` (kernel/exception.c): on #PF or #GP there, execution goes on at the partner
; label.

bits 64
default rel
section .text

global user_copy_bytes, user_copy_insn, user_copy_fixup
global rdmsr_safe, rdmsr_safe_insn, wrmsr_safe, wrmsr_safe_insn, msr_fixup
global cpu_reload_segments

; bool user_copy_bytes(void *dst, const void *src, uint64_t len, bool smap): RDI, RSI, RDX, CL. True: all copied.
user_copy_bytes:
	mov	r8d, ecx
	mov	rcx, rdx
	test	r8d, r8d
	jz	user_copy_insn
	stac
user_copy_insn:
	rep movsb
	mov	eax, 1
user_copy_done:
	test	r8d, r8d
	jz	user_copy_out
	clac
user_copy_out:
	ret
user_copy_fixup:
	xor	eax, eax
	jmp	user_copy_done

; bool rdmsr_safe(uint32_t msr, uint64_t *value)
rdmsr_safe:
	mov	ecx, edi
rdmsr_safe_insn:
	rdmsr
	shl	rdx, 32
	or	rax, rdx
	mov	[rsi], rax
	mov	eax, 1
	ret

; bool wrmsr_safe(uint32_t msr, uint64_t value)
wrmsr_safe:
	mov	ecx, edi
	mov	eax, esi
	mov	rdx, rsi
	shr	rdx, 32
wrmsr_safe_insn:
	wrmsr
	mov	eax, 1
	ret
msr_fixup:
	xor	eax, eax
	ret

; void cpu_reload_segments(void): loads CS and the data segments from the new GDT.
cpu_reload_segments:
	pop	rax
	push	0x08
	push	rax
	mov	eax, 0x10
	mov	ss, eax
	xor	eax, eax
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	o64 retf

section .note.GNU-stack noalloc noexec nowrite progbits
