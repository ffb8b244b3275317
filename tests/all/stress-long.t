#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/stress.t with a minute for each group of stressors instead of seconds.

STRESS_SECONDS=${STRESS_SECONDS:-60} exec "$(dirname "$0")/../stress.t" stress
