"""Tests of the fake server's wire part."""
