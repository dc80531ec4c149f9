"""Tests of the fake server's verify part."""
