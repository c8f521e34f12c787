"""Tests of the bridge: unit, property, torture, contract."""
