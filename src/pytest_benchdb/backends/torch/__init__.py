"""Devices of torch: `backend` finds them, `device` is an open one, `vendors` has the differences between vendors."""
