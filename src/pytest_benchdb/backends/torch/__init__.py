"""Devices through torch: `backend` finds them, `device` is one in use, `vendors` holds what differs between kinds."""
