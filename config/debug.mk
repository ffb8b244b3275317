# SPDX-License-Identifier: BSD-2-Clause
# The default kernel with every check: lock ranks, poison, red zones, shrunken
# limits, allocation failures on request.
include config/default.mk
DEFINES += -DCONFIG_DEBUG=1 -DCONFIG_FAIL_ALLOC=1
WITH_DEBUG := 1
