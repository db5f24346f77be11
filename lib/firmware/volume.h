/* Firmware volumes of UEFI, as far as one is told from other things. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Whether an image begins with a volume that keeps variables: such firmware wants to lie in a flash that it can write to. Any
 * bytes; they need not be aligned. Pure.
 * Source: UEFI Platform Initialization Specification, Volume 3, "EFI_FIRMWARE_VOLUME_HEADER"; its file system is here the GUID that
 * firmware's sources call EFI_SYSTEM_NV_DATA_FV_GUID (tianocore/edk2, MdeModulePkg/Include/Guid/SystemNvDataGuid.h). */
bool firmware_volume_keeps_variables(const void *image, size_t size_bytes);
