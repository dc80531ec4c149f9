"""The version of the distribution; reading its metadata would cost the import time."""

__version__ = "0.0.1"
