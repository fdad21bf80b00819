"""Small helpers without images, networks or stores."""
