"""Tests of the fake server's script part."""
