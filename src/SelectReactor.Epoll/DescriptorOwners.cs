namespace SelectReactor.Epoll;

/// <summary>
/// The registration of each descriptor that the kernel watches. A socket that is closed already may have given its
/// number to another socket, whose registration owns the number from then on.
/// </summary>
internal sealed class DescriptorOwners
{
    private Registration?[] _owners = new Registration?[256];

    public bool Contains(Registration registration) =>
        registration.Descriptor < _owners.Length && _owners[registration.Descriptor] == registration;

    /// <summary>Makes a registration the owner of its descriptor, after the kernel has accepted it.</summary>
    /// <returns>The owner before; null if there was none. Its socket is closed: the kernel accepts a number again only
    /// then.</returns>
    public Registration? Add(Registration registration)
    {
        int descriptor = registration.Descriptor;
        DescriptorTable.Note(descriptor);
        if (descriptor >= _owners.Length)
        {
            Array.Resize(ref _owners, Math.Max(descriptor + 1, _owners.Length * 2));
        }

        Registration? before = _owners[descriptor];
        _owners[descriptor] = registration;
        return before;
    }

    /// <summary>Removes a registration that owns its descriptor.</summary>
    public void Remove(Registration registration) => _owners[registration.Descriptor] = null;
}
