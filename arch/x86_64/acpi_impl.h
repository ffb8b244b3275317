/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files that read ACPI tables. */
#ifndef ARCH_ACPI_IMPL_H
#define ARCH_ACPI_IMPL_H

#include "arch/x86_64/acpi.h"

/* CPUs and interrupt controllers; h may be NULL: one CPU. */
void madt_parse(const struct acpi_header *h, unsigned int max_cpus);
/* Nodes of CPUs and memory; h may be NULL: one node. */
void srat_parse(const struct acpi_header *h);

#endif
