"""Tests of the fake server's journal part."""
