"""A trained network as an ONNX graph: own units in, own units out, state in and out.

The graph is written node by node. Cells that ONNX has become its operators; any other cell becomes
a Scan whose body is the cell's own code, translated. Needs the package `onnx`.
"""
