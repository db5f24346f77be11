/* Counts the portions in which objects were freed. */
#pragma once

extern unsigned fake_reaper_portions;
