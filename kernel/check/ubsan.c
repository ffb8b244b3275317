/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UBSAN: the run-time part of the compiler's checks for undefined operations.
 *
 * Model: where an operation may be undefined the compiler tests its operands, and
 * calls one of the functions below when they are wrong, with a record that says
 * where the operation is in the source and of which types its operands are. A
 * value of at most 64 bits is passed as it is, a wider one by its address. A
 * report says kind, place, values and how we came there. The kernel goes on with
 * what the machine computes.
 *
 * Each place reports once: its record's column becomes REPORTED. All that comes is
 * counted (kernel.ubsan_reports).
 *
 * Which operations are tested: config/debug.mk (all debug kernels) and
 * config/ubsan.mk (also pointers: alignment, null, the object's size).
 *
 * Contexts: any. Nothing here is instrumented.
 *
 * See: gcc's -fsanitize=undefined; the records are those of libubsan.
 */
#include "kernel/check/ubsan.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sysctl.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "percpu/percpu.h"

#define REPORTED U32_MAX

/* --- the compiler's records --- */

struct place {
	const char *file;
	u32 line;
	/* a */
	u32 column;
};

#define TYPE_INTEGER 0

/* info of an integer: bit 0 signed, the others the logarithm of its width in bits. */
struct type {
	u16 kind;
	u16 info;
	char name[];
};

struct data_typed {
	struct place place;
	const struct type *type;
};

/* Of a shift: left and right; of an index: the array and the index. */
struct data_pair {
	struct place place;
	const struct type *first, *second;
};

struct data_pointer {
	struct place place;
	const struct type *type;
	u8 align_shift;
	u8 access;
};

struct data_builtin {
	struct place place;
	u8 what;
};

struct data_argument {
	struct place place;
	struct place attribute;
	int number;
};

/* What is done through a pointer, by data_pointer.access. */
static const char *const accesses[] = {
	"load of",     "store to",	   "reference to",	 "member access",
	"member call", "constructor call", "downcast of",	 "static downcast of",
	"upcast of",   "virtual cast",	   "nonnull binding to", "dynamic operation",
};

static const char *const kinds[UBSAN_KINDS] = {
	[UBSAN_OVERFLOW] = "signed-integer-overflow",
	[UBSAN_DIVISION] = "division-overflow",
	[UBSAN_SHIFT] = "shift-out-of-bounds",
	[UBSAN_BOUNDS] = "array-index-out-of-bounds",
	[UBSAN_VALUE] = "invalid-load",
	[UBSAN_NULL] = "null-pointer-use",
	[UBSAN_ALIGNMENT] = "misaligned-access",
	[UBSAN_SIZE] = "object-size-mismatch",
	[UBSAN_BUILTIN] = "invalid-builtin-argument",
	[UBSAN_UNREACHABLE] = "unreachable",
	[UBSAN_VLA] = "array-size-not-positive",
	[UBSAN_NONNULL] = "null-argument",
};

/* a */
static u64 reports;
/* o  0: written; else kept, counts up from 1 */
static DEFINE_PERCPU(u32, catching);
static DEFINE_PERCPU(struct ubsan_report, caught);
/* o  1: a report is being written, whose own mistakes are not told */
static DEFINE_PERCPU(u8, reporting);

/* --- values --- */

static bool
is_signed(const struct type *t)
{
	return t->info & 1;
}

static unsigned int
width(const struct type *t)
{
	return 1u << (t->info >> 1);
}

/* The low 64 bits of a value, extended. */
static u64
value_bits(const struct type *t, unsigned long v)
{
	unsigned int unused;

	if (width(t) > 64)
		return *(const u64 *)v;
	unused = 64 - width(t);
	return is_signed(t) ? (u64)((s64)((u64)v << unused) >> unused) : (u64)v << unused >> unused;
}

static bool
is_negative(const struct type *t, unsigned long v)
{
	if (!is_signed(t))
		return false;
	return (s64)(width(t) > 64 ? ((const u64 *)v)[1] : value_bits(t, v)) < 0;
}

struct number {
	char text[24];
};

static struct number
number(const struct type *t, unsigned long v)
{
	struct number n;

	if (t->kind != TYPE_INTEGER)
		strscpy(n.text, "?", sizeof(n.text));
	else if (is_signed(t))
		snprintf(n.text, sizeof(n.text), "%ld", (long)value_bits(t, v));
	else
		snprintf(n.text, sizeof(n.text), "%lu", value_bits(t, v));
	return n;
}

/* --- reports --- */

static void
report_write(const struct ubsan_report *r, unsigned long pc)
{
	log_write(LOG_EMERG, "BUG: UBSAN: %s at %s:%u in %pS", kinds[r->kind], r->file, r->line,
		  (void *)pc);
	log_write(LOG_EMERG, "%s", r->text);
	arch_backtrace(NULL);
}

/* Interrupts off. */
static void
report_keep(const struct ubsan_report *r)
{
	if (this_cpu_read(catching) == 1)
		this_cpu(caught) = *r;
	this_cpu_inc(catching);
}

static __printf(4, 5) void report(struct place *p, enum ubsan_kind kind, unsigned long pc,
				  const char *fmt, ...)
{
	struct ubsan_report r = {.kind = kind, .file = p->file, .line = p->line};
	unsigned long f = irq_save();
	va_list ap;

	if (!this_cpu_read(reporting)) {
		this_cpu_write(reporting, 1);
		va_start(ap, fmt);
		vsnprintf(r.text, sizeof(r.text), fmt, ap);
		va_end(ap);
		if (this_cpu_read(catching) != 0) {
			report_keep(&r);
		} else {
			atomic_inc(&reports);
			if (atomic_xchg(&p->column, REPORTED) != REPORTED)
				report_write(&r, pc);
		}
		this_cpu_write(reporting, 0);
	}
	irq_restore(f);
}

void
ubsan_catch_begin(void)
{
	this_cpu_write(catching, 1);
}

u32
ubsan_catch_end(struct ubsan_report *r)
{
	u32 n = this_cpu_read(catching) - 1;

	this_cpu_write(catching, 0);
	*r = this_cpu(caught);
	return n;
}

static int
show_reports(struct seq *s)
{
	seq_printf(s, "%lu\n", READ_ONCE(reports));
	return 0;
}
SYSCTL_SHOW(ubsan_reports, "kernel/ubsan_reports", show_reports);

/* --- called by instrumented code --- */

#define caller_pc() ((unsigned long)__builtin_return_address(0))

void __ubsan_handle_add_overflow(struct data_typed *d, unsigned long a, unsigned long b);
void __ubsan_handle_sub_overflow(struct data_typed *d, unsigned long a, unsigned long b);
void __ubsan_handle_mul_overflow(struct data_typed *d, unsigned long a, unsigned long b);
void __ubsan_handle_negate_overflow(struct data_typed *d, unsigned long a);
void __ubsan_handle_divrem_overflow(struct data_typed *d, unsigned long a, unsigned long b);
void __ubsan_handle_shift_out_of_bounds(struct data_pair *d, unsigned long a, unsigned long b);
void __ubsan_handle_out_of_bounds(struct data_pair *d, unsigned long index);
void __ubsan_handle_load_invalid_value(struct data_typed *d, unsigned long v);
void __ubsan_handle_type_mismatch_v1(struct data_pointer *d, unsigned long p);
void __ubsan_handle_invalid_builtin(struct data_builtin *d);
void __ubsan_handle_builtin_unreachable(struct place *p) __noreturn;
void __ubsan_handle_vla_bound_not_positive(struct data_typed *d, unsigned long n);
void __ubsan_handle_nonnull_arg(struct data_argument *d);
void __ubsan_handle_nonnull_return_v1(struct place *attribute, struct place *p);

#define DEFINE_OVERFLOW(what, sign)                                                                \
	void __ubsan_handle_##what##_overflow(struct data_typed *d, unsigned long a,               \
					      unsigned long b)                                     \
	{                                                                                          \
		report(&d->place, UBSAN_OVERFLOW, caller_pc(), "%s " sign " %s is no %s",          \
		       number(d->type, a).text, number(d->type, b).text, d->type->name);           \
	}

DEFINE_OVERFLOW(add, "+")
DEFINE_OVERFLOW(sub, "-")
DEFINE_OVERFLOW(mul, "*")

void
__ubsan_handle_negate_overflow(struct data_typed *d, unsigned long a)
{
	report(&d->place, UBSAN_OVERFLOW, caller_pc(), "-(%s) is no %s", number(d->type, a).text,
	       d->type->name);
}

void
__ubsan_handle_divrem_overflow(struct data_typed *d, unsigned long a, unsigned long b)
{
	report(&d->place, UBSAN_DIVISION, caller_pc(), "%s / %s of type %s",
	       number(d->type, a).text, number(d->type, b).text, d->type->name);
}

void
__ubsan_handle_shift_out_of_bounds(struct data_pair *d, unsigned long a, unsigned long b)
{
	const char *what = "the value is negative or does not fit";

	if (is_negative(d->second, b))
		what = "the distance is negative";
	else if (value_bits(d->second, b) >= width(d->first))
		what = "the distance is too large";
	report(&d->place, UBSAN_SHIFT, caller_pc(), "%s (%s) shifted by %s: %s",
	       number(d->first, a).text, d->first->name, number(d->second, b).text, what);
}

void
__ubsan_handle_out_of_bounds(struct data_pair *d, unsigned long index)
{
	report(&d->place, UBSAN_BOUNDS, caller_pc(), "index %s of %s",
	       number(d->second, index).text, d->first->name);
}

void
__ubsan_handle_load_invalid_value(struct data_typed *d, unsigned long v)
{
	report(&d->place, UBSAN_VALUE, caller_pc(), "%s is no value of %s", number(d->type, v).text,
	       d->type->name);
}

void
__ubsan_handle_type_mismatch_v1(struct data_pointer *d, unsigned long p)
{
	const char *access = d->access < ARRAY_SIZE(accesses) ? accesses[d->access] : "use of";
	unsigned long align = 1UL << d->align_shift;

	if (p == 0)
		report(&d->place, UBSAN_NULL, caller_pc(), "%s a null pointer to %s", access,
		       d->type->name);
	else if (!is_aligned(p, align))
		report(&d->place, UBSAN_ALIGNMENT, caller_pc(), "%s %lx, %s: not a multiple of %lu",
		       access, p, d->type->name, align);
	else
		report(&d->place, UBSAN_SIZE, caller_pc(), "%s %lx: no room for %s", access, p,
		       d->type->name);
}

void
__ubsan_handle_invalid_builtin(struct data_builtin *d)
{
	report(&d->place, UBSAN_BUILTIN, caller_pc(), "%s of zero", d->what ? "clz" : "ctz");
}

void
__ubsan_handle_builtin_unreachable(struct place *p)
{
	report(p, UBSAN_UNREACHABLE, caller_pc(), "control came where it cannot");
	panic("unreachable code was reached");
}

void
__ubsan_handle_vla_bound_not_positive(struct data_typed *d, unsigned long n)
{
	report(&d->place, UBSAN_VLA, caller_pc(), "an array of %s", number(d->type, n).text);
}

void
__ubsan_handle_nonnull_arg(struct data_argument *d)
{
	report(&d->place, UBSAN_NONNULL, caller_pc(), "argument %d is null and may not be",
	       d->number);
}

void
__ubsan_handle_nonnull_return_v1(struct place *attribute, struct place *p)
{
	report(p, UBSAN_NONNULL, caller_pc(), "null is returned and may not be");
}
