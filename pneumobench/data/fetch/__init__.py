"""The public X-rays, brought here: downloaded or unpacked, checked, and moved into place when whole."""
