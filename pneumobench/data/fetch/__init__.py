"""The public X-rays: downloaded or unpacked, checked, and moved into place once complete."""
