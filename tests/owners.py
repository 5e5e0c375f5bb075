"""Two people whose things tests keep apart."""

from webui.storage.owners import Owner

ANN, BOB = Owner("ann"), Owner("bob")
