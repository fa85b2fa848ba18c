"""The pure core: facts and the functions over them. Standard library only; no I/O, clock or chance."""
