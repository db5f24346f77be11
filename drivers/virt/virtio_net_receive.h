/* Inside the network card's model only: frames to the guest. */
#pragma once
#include "drivers/virt/virtio_net.h"

/* Gives the guest what arrived, a bounded amount. True: there is more. */
bool virtio_net_receive(struct virtio_net *net);
