"""Tests of the fake server's serve part."""
