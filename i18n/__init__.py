"""What people read, in Chinese and English, and how moments are written."""
